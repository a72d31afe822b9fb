import { afterEach, expect, it } from 'vitest';
import type { ScenarioTenantInput } from '../../../local/microsoft365/scenario.ts';
import { createSendBatch } from '../../../shared/adapters/graph/batch.ts';
import { createGetJson } from '../../../shared/adapters/graph/get-json.ts';
import { graphTenantGroups } from '../../../shared/adapters/graph/graph-tenant-groups.ts';
import { graphTenantUsers } from '../../../shared/adapters/graph/graph-tenant-users.ts';
import type { DirectoryAccess } from '../../../shared/directory/tenant-users.ts';
import { Secret } from '../../../shared/kernel/secret.ts';
import { startSimulatedTenant } from '../../support/simulator-client.ts';
import { at, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

const JANE = '11111111-1111-4111-8111-111111111111';
const SALES = '22222222-2222-4222-8222-222222222222';
const ALL = ['User.Read.All', 'GroupMember.Read.All', 'MailboxSettings.Read', 'Mail.ReadWrite'];

const tenant = (grants: string[], more: Partial<ScenarioTenantInput> = {}) =>
  wingtipTenant({
    apps: [wingtipApp({ grants })],
    mailboxes: [
      { id: JANE, address: at('jane'), upn: at('jdoe'), displayName: 'Jane Doe', aliases: [at('j.doe')] },
      { address: at('support'), kind: 'shared' },
      { address: at('room1'), kind: 'room' },
      { address: at('moving'), kind: 'shared', fault: 'moving' },
      { generate: 1200, address: at('user{n}') },
    ],
    recipients: [
      { id: SALES, address: at('sales'), kind: 'group', members: [at('jane'), at('nested'), at('supplier')] },
      { address: at('nested'), kind: 'group', displayName: 'Nested', members: [at('support')] },
      { address: at('supplier'), kind: 'contact' },
      { address: 'visitor@elsewhere.example', kind: 'guest' },
      { address: at('newcomer'), kind: 'unlicensed' },
      { address: at('factory'), kind: 'onPremises' },
      { address: at('left'), kind: 'disabled' },
    ],
    ...more,
  });

const client = await startSimulatedTenant({ tenants: [tenant(ALL)] });
afterEach(() => client.put(tenant(ALL)));

const clouds = () => ({ graphUrl: client.simulator.graphUrl });
const options = { timeoutMs: 5_000, now: () => new Date() };
const getJson = createGetJson(options);
const users = graphTenantUsers({ getJson, sendBatch: createSendBatch(options), clouds });
const groups = graphTenantGroups({ getJson, clouds });

async function access(roles: string[] = ALL): Promise<DirectoryAccess> {
  const token = new Secret(await client.token());
  return { cloud: 'simulator', token: { token, expiresAt: new Date(8e15), claims: { roles } } };
}

async function accepted<T>(answer: Promise<{ kind: string; value?: T }>): Promise<T> {
  const result = await answer;
  expect(result.kind).toBe('accepted');
  return result.value as T;
}

it('lists every user of a tenant once, in pages of 999', async () => {
  const own = await access();
  const first = await accepted(users.list(own));
  expect(first.users).toHaveLength(999);
  const second = await accepted(users.list(own, first.next));
  expect(second.next).toBeUndefined();
  const all = [...first.users, ...second.users];
  expect(new Set(all.map(({ id }) => id)).size).toBe(1208);
  const byAddress = new Map(all.map((user) => [user.primaryAddress, user]));
  expect(byAddress.get(at('jane'))).toEqual({
    id: JANE,
    primaryAddress: at('jane'),
    displayName: 'Jane Doe',
    isGuest: false,
    isEnabled: true,
    isLicensed: true,
  });
  expect(byAddress.get(at('support'))).toMatchObject({ isEnabled: false, isLicensed: false });
  expect(byAddress.get('visitor@elsewhere.example')).toMatchObject({ isGuest: true });
});

it('tells who has changed since a link, and what they are now, in two requests', async () => {
  const own = await access();
  const link = await accepted(users.linkToChanges(own));
  expect(await accepted(users.changes(own, link))).toMatchObject({ changed: [], removed: [], isLast: true });
  const scenario = tenant(ALL);
  const [jane, support, ...rest] = scenario.mailboxes ?? [];
  const added = Array.from({ length: 40 }, (_, n) => ({ address: at(`added${n}`) }));
  client.put({
    ...scenario,
    mailboxes: [{ ...jane, address: at('jane'), displayName: 'Jane Roe' }, ...rest, ...added],
  });
  expect(support).toBeDefined();
  const changes = await accepted(users.changes(own, link));
  expect(changes).toMatchObject({ isLast: true, removed: [expect.any(String)] });
  expect(changes.changed).toHaveLength(41);
  const now = await accepted(users.get(own, [...changes.changed, '99999999-9999-4999-8999-999999999999']));
  expect(now).toHaveLength(41);
  expect(now.find(({ id }) => id === JANE)).toMatchObject({ displayName: 'Jane Roe', isLicensed: true });
});

it.each(['badRequest', 'gone'] as const)('passes on that a link has expired: %s', async (expiredAnswer) => {
  const own = await access();
  const link = await accepted(users.linkToChanges(own));
  client.put(tenant(ALL, { deltaLinks: { validSeconds: 0, expiredAnswer } }));
  await expect.poll(() => users.changes(own, link)).toMatchObject({ refusal: { code: 'syncStateNotFound' } });
});

it('asks mailboxes what they are for, and tells those that are none', async () => {
  const own = await access();
  const { users: all } = await accepted(users.list(own));
  const idOf = (address: string) => all.find(({ primaryAddress }) => primaryAddress === address)?.id ?? '';
  const ids = ['support', 'room1', 'newcomer', 'factory', 'left', 'moving'].map((name) => idOf(at(name)));
  expect(await users.judge(own, ids)).toEqual([
    { kind: 'accepted', value: { kind: 'shared' } },
    { kind: 'accepted', value: { kind: 'room' } },
    { kind: 'accepted', value: { reason: 'mailbox_unlicensed_or_on_premises' } },
    { kind: 'accepted', value: { reason: 'mailbox_unlicensed_or_on_premises' } },
    { kind: 'accepted', value: { reason: 'mailbox_disabled' } },
    { kind: 'accepted', value: 'undecided' },
  ]);
  // Without MailboxSettings.Read, the inbox tells whether there is a mailbox.
  const withoutSettings = await access(['Mail.ReadWrite']);
  expect(await users.judge(withoutSettings, ids.slice(0, 3))).toEqual([
    { kind: 'accepted', value: { kind: 'unknown' } },
    { kind: 'accepted', value: { kind: 'unknown' } },
    { kind: 'accepted', value: { reason: 'mailbox_unlicensed_or_on_premises' } },
  ]);
  client.put(tenant(['User.Read.All']));
  expect(await users.judge(withoutSettings, ids.slice(0, 1))).toEqual([{ kind: 'accepted', value: 'undecided' }]);
});

it('passes on how long Microsoft wants us to wait', async () => {
  const own = await access();
  client.put(tenant(ALL, { throttle: { perAppPerTenantPer10s: 0, retryAfterSeconds: 3 } }));
  const refusal = { status: 429, retryAfterSeconds: 3 };
  expect(await users.list(own)).toMatchObject({ kind: 'refused', refusal });
  expect(await users.judge(own, [JANE])).toMatchObject([{ kind: 'refused', refusal }]);
});

it('never sends the token to another server, whatever a link says', async () => {
  const own = await access();
  expect(await users.changes(own, 'https://attacker.example/v1.0/users/delta')).toEqual({ kind: 'lost' });
  expect(await users.list(own, 'not a link')).toEqual({ kind: 'lost' });
});

it('finds a group by address or ID, and its members with their types', async () => {
  const own = await access();
  expect(await accepted(groups.find(own, at('sales')))).toEqual({ id: SALES, name: 'sales' });
  expect(await accepted(groups.find(own, SALES))).toEqual({ id: SALES, name: 'sales' });
  expect(await accepted(groups.find(own, at('jane')))).toBeNull();
  expect(await accepted(groups.find(own, JANE))).toBeNull();
  expect(await accepted(groups.members(own, SALES))).toEqual({
    users: [{ id: JANE, address: at('jane'), displayName: 'Jane Doe', isReadable: true, isGuest: false }],
    groups: [{ id: expect.any(String), name: 'Nested' }],
    others: 1,
  });
  client.put(tenant(['GroupMember.Read.All']));
  expect(await accepted(groups.members(await access(), SALES))).toMatchObject({
    users: [{ id: JANE, isReadable: false }],
  });
});
