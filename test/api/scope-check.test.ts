import { beforeEach, describe, expect, it } from 'vitest';
import { newTenantPace } from '../../shared/imports/pacing/tenant-pace.ts';
import { tenantKeyOf } from '../../shared/imports/tenant-key.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { absentId, createApi, DOMAIN, NOW } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';
import { aMailbox } from '../support/records.ts';

const registration = {
  name: 'Tailspin',
  tenant: DOMAIN,
  clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37',
  clientSecret: GOOD_SECRET,
  clientSecretExpiresAt: '2026-12-01T00:00:00Z',
  defaultMailbox: `jane@${DOMAIN}`,
};
const legal = `legal@${DOMAIN}`;
const board = `board@${DOMAIN}`;

let api: ReturnType<typeof createApi>;
let key: string;
let id: string;

beforeEach(async () => {
  api = createApi();
  ({ key } = await api.customer());
  id = await register();
  // Long after the last change of the grants.
  api.deps.time.now = new Date(NOW.getTime() + 86_400_000);
});

async function register(change: object = {}): Promise<string> {
  const body = { ...registration, ...change };
  return (await jsonOf<{ id: string }>(await api.request('POST', '/v1/connections', { key, body }))).id;
}

interface Shown {
  verdict: string;
  cause?: string;
  detail: string;
  inScope: { address: string } | null;
  offLimits: {
    address: string;
    answer: string;
    permissions: { permission: string; answer: string; cause?: string }[];
  }[];
}

const check = (body: object, connectionId = id) =>
  api.request('POST', `/v1/connections/${connectionId}/scope-check`, { key, body });
async function verdictOf(body: object): Promise<Shown> {
  const response = await check(body);
  expect(response.status).toBe(200);
  return jsonOf<Shown>(response);
}

describe('the verdict', () => {
  it('200: scoped, if every address is refused and the default mailbox is not; it is kept on the connection', async () => {
    api.deps.offLimits.set(legal, 'refused');
    api.deps.offLimits.set(board, 'refused');
    const shown = await verdictOf({ offLimits: [legal.toUpperCase(), board] });
    expect(shown).toMatchObject({
      verdict: 'scoped',
      checkedAt: '2026-06-02T00:00:00.000Z',
      link: 'docs/scope.md#scoped',
      inScope: { address: `jane@${DOMAIN}`, answer: 'allowed' },
      offLimits: [
        { address: legal, answer: 'refused' },
        { address: board, answer: 'refused' },
      ],
      roles: ['Mail.ReadWrite', 'Mail.Send'],
      mayChangeUntil: null,
    });
    const connection = await jsonOf(await api.request('GET', `/v1/connections/${id}`, { key }));
    expect(connection).toMatchObject({ lastScopeCheck: shown });
  });

  it('200: tenantWide, if the addresses are allowed; names them, and what the token shows', async () => {
    const { verdict, detail } = await verdictOf({ offLimits: [legal] });
    expect(verdict).toBe('tenantWide');
    expect(detail).toContain(legal);
    expect(detail).toContain('The token shows Mail.ReadWrite, Mail.Send: granted in Entra');
  });

  it('200: an unscoped grant defeats a scope, if one right is refused that works in scope and another is allowed', async () => {
    api.deps.offLimits.set(legal, 'refused', ['read', 'write']);
    const { verdict, detail } = await verdictOf({ offLimits: [legal] });
    expect(verdict).toBe('scopePresentButUnscopedGrant');
    expect(detail).toContain('The token shows Mail.Send');
  });

  it('200: the token explains the verdict and does not decide it', async () => {
    api.deps.tenant.answers.set(GOOD_SECRET, ['User.Read.All']);
    const { verdict, detail } = await verdictOf({ offLimits: [legal] });
    expect(verdict).toBe('tenantWide');
    expect(detail).toContain('The token does not show Mail.Read, Mail.ReadWrite, Mail.Send');
  });

  it('200: a scope that a grant in Entra defeats shows in the app’s roles, if it may read them', async () => {
    const role = 'Application Mail Full Access';
    api.deps.offLimits.assignments = [{ role, permissions: ['Mail.ReadWrite', 'Mail.Send'], isScoped: true }];
    const shown = await verdictOf({ offLimits: [legal] });
    expect(shown).toMatchObject({
      verdict: 'scopePresentButUnscopedGrant',
      assignments: [{ role, isScoped: true }],
    });
    expect(shown.detail).toContain(`the role “${role}” is assigned with one`);
  });

  it('200: scopeTooWide, if only some of the addresses are refused', async () => {
    api.deps.offLimits.set(legal, 'refused');
    const { verdict, offLimits } = await verdictOf({ offLimits: [legal, board] });
    expect(verdict).toBe('scopeTooWide');
    expect(offLimits.map(({ answer }) => answer)).toEqual(['refused', 'allowed']);
  });

  it('200: inconclusive with a cause, if the app is refused everywhere', async () => {
    for (const address of [legal, `jane@${DOMAIN}`]) api.deps.offLimits.set(address, 'refused');
    expect(await verdictOf({ offLimits: [legal] })).toMatchObject({
      verdict: 'inconclusive',
      cause: 'mailbox_out_of_scope',
    });
    await api.request('PATCH', `/v1/connections/${id}`, { key, body: { grantsJustChanged: true } });
    expect(await verdictOf({ offLimits: [legal] })).toMatchObject({
      verdict: 'inconclusive',
      cause: 'propagating',
      mayChangeUntil: '2026-06-02T02:00:00.000Z',
    });
  });

  it('200: inconclusive, if an address is no mailbox of the tenant', async () => {
    api.deps.offLimits.set(legal, 'absent');
    expect(await verdictOf({ offLimits: [legal] })).toMatchObject({
      verdict: 'inconclusive',
      cause: 'mailbox_not_found',
    });
  });
});

describe('the mailbox in scope', () => {
  beforeEach(async () => {
    id = await register({ defaultMailbox: null, clientId: '00000000-0000-4000-8000-00000000abcd' });
    api.deps.offLimits.set(legal, 'refused');
  });

  it('200: inconclusive without one, because an app without any permission is refused everywhere', async () => {
    const shown = await verdictOf({ offLimits: [legal] });
    expect(shown).toMatchObject({ verdict: 'inconclusive', inScope: null });
    expect(shown.cause).toBeUndefined();
    expect(shown.detail).toContain('No mailbox is known');
  });

  it('200: can be named', async () => {
    const inScope = `sales@${DOMAIN}`;
    expect(await verdictOf({ offLimits: [legal], inScope })).toMatchObject({
      verdict: 'scoped',
      inScope: { address: inScope },
    });
  });

  it('200: is one that passed its check, and not one that is off limits', async () => {
    for (const address of [`a@${DOMAIN}`, `b@${DOMAIN}`]) {
      await api.deps.ledger.commit(id, [{ op: 'createMailbox', mailbox: aMailbox({ address, status: 'active' }) }]);
    }
    api.deps.offLimits.set(`a@${DOMAIN}`, 'refused');
    expect(await verdictOf({ offLimits: [`a@${DOMAIN}`] })).toMatchObject({
      verdict: 'scoped',
      inScope: { address: `b@${DOMAIN}` },
    });
  });

  it('400: is not off limits', async () => {
    const response = await check({ offLimits: [legal], inScope: legal });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ errors: [{ path: 'inScope', message: 'is also off limits' }] });
  });
});

it('200: each mailbox shows what is known of its scope', async () => {
  const passed = { 'graph.send': { verdict: 'passed' as const, checkedAt: NOW } };
  const address = `sales@${DOMAIN}`;
  const mailbox = aMailbox({ address, status: 'active', checks: passed });
  await api.deps.ledger.commit(id, [{ op: 'createMailbox', mailbox }]);
  const read = async () =>
    jsonOf<{ scope: string }>(await api.request('GET', `/v1/connections/${id}/mailboxes/${address}`, { key }));
  expect(await read()).toMatchObject({ scope: 'unknown' });
  api.deps.offLimits.set(legal, 'refused');
  await verdictOf({ offLimits: [legal] });
  expect(await read()).toMatchObject({ scope: 'inScope' });
  const list = await api.request('GET', `/v1/connections/${id}/mailboxes`, { key });
  expect(await list.json()).toMatchObject({ items: [{ address, scope: 'inScope' }] });
  await verdictOf({ offLimits: [board] });
  expect(await read()).toMatchObject({ scope: 'tenantWide' });
});

describe('when Microsoft does not answer', () => {
  it('200: inconclusive, with Retry-After, and the rest is not asked', async () => {
    const addresses = Array.from({ length: 20 }, (_, n) => `user${n}@${DOMAIN}`);
    for (const address of addresses) api.deps.offLimits.set(address, 'throttled');
    const response = await check({ offLimits: addresses });
    expect(response.headers.get('retry-after')).toBe('17');
    expect(await response.json()).toMatchObject({ verdict: 'inconclusive', cause: 'throttled' });
    expect(api.deps.offLimits.asked.length).toBeLessThan(5);
  });

  it('200: inconclusive after the time limit', async () => {
    api.deps.offLimits.set(legal, 'silent');
    expect(await verdictOf({ offLimits: [legal] })).toMatchObject({
      verdict: 'inconclusive',
      cause: 'microsoft_unavailable',
    });
  });

  it('200: inconclusive without a token, with the reason of the refusal', async () => {
    api.deps.tenant.answers.set(GOOD_SECRET, 'AADSTS7000222');
    expect(await verdictOf({ offLimits: [legal] })).toMatchObject({ verdict: 'inconclusive', cause: 'secret_expired' });
    expect(api.deps.offLimits.asked).toEqual([]);
  });

  it('200: asks nothing while the imports of the tenant are held back', async () => {
    const { time, connections, tenantPaces, offLimits } = api.deps;
    const { customer } = await jsonOf<{ customer: { id: string } }>(await api.request('GET', '/v1/me', { key }));
    const found = await connections.get(customer.id, id);
    if (!found) throw new Error('no connection');
    const pace = { ...newTenantPace(tenantKeyOf(found.value)), mode: 'hold' as const };
    await tenantPaces.put({ ...pace, holdUntil: time.now.getTime() + 4_500 }, undefined);
    const response = await check({ offLimits: [legal] });
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await response.json()).toMatchObject({ verdict: 'inconclusive', cause: 'throttled' });
    expect(offLimits.asked).toEqual([]);
  });
});

it('200: another app leaves no result of the former one behind', async () => {
  await verdictOf({ offLimits: [legal] });
  const body = { clientId: '00000000-0000-4000-8000-00000000abcd' };
  const changed = await api.request('PATCH', `/v1/connections/${id}`, { key, body });
  expect(await changed.json()).toMatchObject({ lastScopeCheck: null });
});

it.each([
  ['no address', { offLimits: [] }, 'offLimits'],
  ['more than 20', { offLimits: Array.from({ length: 21 }, (_, n) => `user${n}@${DOMAIN}`) }, 'offLimits'],
  ['an address twice', { offLimits: [legal, legal.toUpperCase()] }, 'offLimits'],
  ['what is no address', { offLimits: ['legal'] }, 'offLimits.0'],
])('400: refuses %s', async (_, body, path) => {
  const response = await check(body);
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ errors: [{ path }] });
});

it('404: for an unknown connection, and asks nothing', async () => {
  expect((await check({ offLimits: [legal] }, absentId('conn'))).status).toBe(404);
  expect(api.deps.offLimits.asked).toEqual([]);
});
