import { expect, it } from 'vitest';
import type { DirectoryMailbox } from '../../clients/typescript/src/index.ts';
import { plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const at = (name: string) => `${name}@${tenant.domain}`;
const USERS = 9_400;
const kinds = { shared: 150, room: 75, equipment: 75 } as const;
const refused = { unlicensed: 75, onPremises: 50, disabled: 25 } as const;
const GUESTS = 150;
const sum = (numbers: Readonly<Record<string, number>>) => Object.values(numbers).reduce((a, b) => a + b, 0);
const JUDGED = sum(kinds) + sum(refused);
const ALL = USERS + JUDGED + GUESTS;

const numbered = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

/** 10,000 users of all kinds. Microsoft lets the app ask so little that it throttles the read, also on a slow machine. */
const scenario = plainTenant(USERS, {
  apps: [
    {
      clientId: tenant.clientId,
      secrets: [{ value: tenant.clientSecret, expiresAt: '2036-01-01T00:00:00Z' }],
      grants: ['Mail.ReadWrite', 'Mail.Send', 'User.Read.All', 'MailboxSettings.Read'],
    },
  ],
  mailboxes: Object.entries(kinds).map(([kind, generate]) => ({
    ...{ generate, kind: kind as keyof typeof kinds, address: at(`${kind}{n}`), displayName: `=${kind} {n}` },
  })),
  recipients: [
    ...Object.entries(refused).flatMap(([kind, count]) =>
      numbered(count).map((n) => ({ address: at(`${kind}${n}`), kind: kind as keyof typeof refused })),
    ),
    ...numbered(GUESTS).map((n) => ({ address: `guest${n}@elsewhere.example`, kind: 'guest' as const })),
    { address: at('everyone'), kind: 'group' as const },
    { address: at('supplier'), kind: 'contact' as const },
  ],
  throttle: { perAppPerTenantPer10s: 300, retryAfterSeconds: 2 },
});

// Requests are counted below. So none may be repeated because a busy machine has answered too late.
const running = useRunningStack(scenario, { processes: 2, settings: { CHECK_TIMEOUT: 'PT60S' } });

async function untilRead(connectionId: string): Promise<void> {
  await running.muster.directory.refresh(connectionId);
  const look = () => running.muster.directory.state(connectionId);
  await expect.poll(look, { timeout: 180_000, interval: 250 }).toMatchObject({ reading: false, finding: null });
}

const listOf = (connectionId: string) => Array.fromAsync(running.muster.directory.list(connectionId));
const graphCalls = async (since: Date) =>
  (await running.callsSince(since)).filter(({ service, route }) => service === 'graph' && !route.endsWith('$batch'));

it('lists 10,000 mailboxes under throttling, follows 50 changes with few requests, and agrees after an import', async () => {
  const { id } = await running.connect();
  const begunAt = new Date();
  await untilRead(id);

  const listed = await listOf(id);
  expect(listed).toHaveLength(ALL);
  expect(new Set(listed.map(({ objectId }) => objectId)).size).toBe(ALL);
  const addresses = listed.map(({ address }) => address);
  expect(addresses).toEqual(addresses.toSorted());
  const count = (is: (one: DirectoryMailbox) => boolean) => listed.filter(is).length;
  expect(count(({ kind, eligible }) => kind === 'user' && eligible)).toBe(USERS);
  for (const [kind, number] of Object.entries(kinds)) {
    expect(count((one) => one.kind === kind && one.eligible)).toBe(number);
  }
  const reasons = Object.groupBy(
    listed.filter(({ eligible }) => !eligible),
    ({ reason = 'unknown' }) => reason,
  );
  expect(Object.fromEntries(Object.entries(reasons).map(([reason, all]) => [reason, all?.length]))).toEqual({
    address_is_guest: GUESTS,
    mailbox_unlicensed_or_on_premises: refused.unlicensed + refused.onPremises,
    mailbox_disabled: refused.disabled,
  });

  // Each mailbox was asked once, apart from what Microsoft refused, and only where the directory could not tell.
  const calls = await graphCalls(begunAt);
  const answered = calls.filter(({ status }) => status !== 429);
  expect(answered.filter(({ route }) => route === '/v1.0/users')).toHaveLength(11);
  expect(answered.filter(({ route }) => route.endsWith('/userPurpose'))).toHaveLength(JUDGED);
  expect(calls.length - answered.length).toBeGreaterThan(0);
  expect(calls.length).toBeLessThan(1.5 * answered.length);

  // 50 changes: 20 new, 20 renamed, 10 removed.
  await running.changeTenant((changed) => {
    changed.mailboxes?.push(...numbered(20).map((n) => ({ address: at(`joined${n}`) })));
    const unlicensed = changed.recipients?.filter(({ kind }) => kind === 'unlicensed') ?? [];
    for (const one of unlicensed.slice(0, 20)) one.displayName = 'Renamed';
    const leaving = new Set(unlicensed.slice(20, 30).map(({ address }) => address));
    changed.recipients = changed.recipients?.filter(({ address }) => !leaving.has(address)) ?? [];
    changed.throttle = null;
  });
  const changedAt = new Date();
  await untilRead(id);
  const later = await graphCalls(changedAt);
  // One for the changes, three for 40 users, and the 20 that are judged again.
  expect(later.filter(({ route }) => !route.endsWith('/userPurpose'))).toHaveLength(4);
  expect(later).toHaveLength(24);
  const now = await listOf(id);
  expect(now).toHaveLength(ALL + 20 - 10);
  expect(now.filter(({ displayName }) => displayName === 'Renamed')).toHaveLength(20);

  // The export is imported as it is. A second export differs only in what is connected.
  const exportOf = async (options = {}) => new Response(await running.muster.directory.csv(id, options)).text();
  const before = await exportOf();
  const shared = await exportOf({ kind: 'shared' });
  const started = await running.startImport(id, shared);
  const ended = await running.untilEnded(started.id, 180_000);
  expect(ended.counts).toMatchObject({ rows: kinds.shared, passed: kinds.shared });
  const after = await exportOf();
  expect(after.split('\r\n')).toEqual(
    before
      .split('\r\n')
      .map((line) => (line.includes(',shared,') ? line.replace(',shared,false,', ',shared,true,') : line)),
  );
  expect((await running.muster.mailboxes.get(id, at('shared1'))).displayName).toBe('=shared 1');

  // What is left, a thousand at a time.
  const selected = await running.muster.imports.start(id, { select: 'allUnconnected' }, { dryRun: true });
  expect(selected).toMatchObject({ rows: 1_000, accepted: 1_000, duplicates: 0, rejected: 0 });
}, 600_000);
