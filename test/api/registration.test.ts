import { beforeEach, expect, it } from 'vitest';
import { tellExpiringSecrets } from '../../shared/alerts/tell-expiring-secrets.ts';
import type { Connection } from '../../shared/connections/connection.ts';
import type { RegisteredSecret } from '../../shared/connections/expiry/app-registration.ts';
import { readRegistrations } from '../../shared/connections/expiry/read-registrations.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApi, DOMAIN } from '../support/api.ts';
import { noFailure } from '../support/no-failure.ts';

const DAY_MS = 86_400_000;
let api: ReturnType<typeof createApi>;
let acme: { id: string; key: string };
let path: string;
const READER = ['Mail.ReadWrite', 'Mail.Send', 'Application.Read.All'];

interface Shown {
  clientSecret: { expiresAt: string; state: string };
  entra: { isReadable: boolean; checkedAt: string; expiresAt: string | null; enteredExpiresAt: string | null } | null;
}
const call = async (method: string, to: string, body?: object) => {
  const response = await api.request(method, to, { key: acme.key, ...(body && { body }) });
  return { status: response.status, body: (await response.json()) as Shown & { id: string; items: object[] } };
};
const shown = async () => (await call('GET', path)).body;
const secret = (expiresAt: string, change: Partial<RegisteredSecret> = {}): RegisteredSecret => ({
  keyId: 'key-1',
  name: 'Muster',
  hint: GOOD_SECRET.slice(0, 3),
  startsAt: new Date('2026-01-01T00:00:00Z'),
  expiresAt: new Date(expiresAt),
  ...change,
});
const entraShows = (...secrets: RegisteredSecret[]) => {
  api.deps.registrations.answer = { kind: 'read', secrets, certificates: [] };
};
const daily = (random?: () => number) =>
  readRegistrations(api.deps, (level, event) => void logged.push(`${level} ${event}`), random);
const pass = (days: number) => {
  api.deps.time.now = new Date(api.deps.time.now.getTime() + days * DAY_MS);
};
let logged: string[];
async function registerMore(count: number): Promise<void> {
  const ids = Array.from({ length: count }, (_, i) => `e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e${50 + i}`);
  for (const clientId of ids) {
    const body = {
      name: 'T',
      tenant: DOMAIN,
      clientId,
      clientSecret: GOOD_SECRET,
      clientSecretExpiresAt: '2027-05-01',
    };
    await call('POST', `/v1/connections/${(await call('POST', '/v1/connections', body)).body.id}/test`);
  }
}
/** From here on, Microsoft needs this time for these connections, and then does not answer. The others are quick. */
function slowDown(isSlow: (connection: Connection) => boolean, ms: number): void {
  const { read } = api.deps.registrations;
  api.deps.registrations.read = async (connection, token) => {
    if (!isSlow(connection)) return read(connection, token);
    api.deps.time.now = new Date(api.deps.time.now.getTime() + ms);
    return { kind: 'unavailable' };
  };
}

beforeEach(async () => {
  logged = [];
  api = createApi();
  acme = await api.customer();
  const registered = await call('POST', '/v1/connections', {
    name: 'Tailspin',
    tenant: DOMAIN,
    clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37',
    clientSecret: GOOD_SECRET,
    clientSecretExpiresAt: '2027-05-01',
  });
  path = `/v1/connections/${registered.body.id}`;
  api.deps.tenant.answers.set(GOOD_SECRET, READER);
});

it('200: an accepted test reads the real expiry. The entered date is told, and the feed has the real one', async () => {
  expect((await shown()).entra).toBeNull();
  entraShows(secret('2026-06-20T12:30:00Z'), secret('2028-01-01T00:00:00Z', { keyId: 'other', hint: 'zzz' }));
  await call('POST', `${path}/test`);
  expect(await shown()).toMatchObject({
    clientSecret: { expiresAt: '2026-06-20T12:30:00.000Z', state: 'expiring' },
    entra: {
      isReadable: true,
      secretId: 'key-1',
      secretName: 'Muster',
      expiresAt: '2026-06-20T12:30:00.000Z',
      enteredExpiresAt: '2027-05-01T00:00:00.000Z',
      newerSecret: null,
    },
    lastTest: { verdict: 'passed' },
  });
  expect((await call('GET', '/v1/expiring-secrets')).body.items).toMatchObject([
    { expiresAt: '2026-06-20T12:30:00.000Z' },
  ]);
});

it('200: a newer secret is named, with how it begins', async () => {
  const newer = { keyId: 'key-2', name: 'Muster 2027', hint: 'xY8', startsAt: new Date('2026-05-01T00:00:00Z') };
  entraShows(secret('2026-07-01T00:00:00Z'), secret('2028-05-01T00:00:00Z', newer));
  await call('POST', `${path}/test`);
  expect((await shown()).entra).toMatchObject({
    newerSecret: { secretId: 'key-2', name: 'Muster 2027', hint: 'xY8', expiresAt: '2028-05-01T00:00:00.000Z' },
  });
});

it('the daily run corrects the date, once for a change, and people are told by the real one', async () => {
  await call('POST', `${path}/test`);
  expect((await shown()).entra).toMatchObject({ isReadable: false, expiresAt: null });
  pass(7);
  const newer = { keyId: 'key-2', startsAt: new Date('2026-05-01T00:00:00Z'), hint: 'xY8' };
  entraShows(secret('2026-06-20T00:00:00Z'), secret('2028-05-01T00:00:00Z', newer));
  expect(await daily()).toEqual({ read: 1, corrected: 1, failed: 0, isComplete: true });
  expect(await daily()).toMatchObject({ read: 0 });
  pass(1);
  expect(await daily()).toMatchObject({ read: 1, corrected: 0 });
  expect(logged).toEqual(['warn client_secret_expiry_corrected']);
  const entries = await Array.fromAsync(api.deps.expiryIndex.each());
  expect(entries.map(({ expiresAt }) => expiresAt.toISOString())).toEqual(['2026-06-20T00:00:00.000Z']);
  expect(await tellExpiringSecrets(api.deps, noFailure)).toBe(1);
});

it('asks an app without the permission nothing, and looks for it once a week', async () => {
  api.deps.tenant.answers.set(GOOD_SECRET, ['Mail.ReadWrite', 'Mail.Send']);
  await call('POST', `${path}/test`);
  let tokens = 0;
  const { get } = api.deps.tokens;
  api.deps.tokens.get = (...args) => {
    tokens++;
    return get(...args);
  };
  for (let i = 0; i < 6; i++) {
    pass(1);
    await daily();
  }
  expect([tokens, api.deps.registrations.reads]).toEqual([0, 0]);
  pass(1);
  await daily();
  expect([tokens, api.deps.registrations.reads]).toEqual([1, 0]);
});

it('asks a tenant that refuses once a week, and after each accepted test', async () => {
  await call('POST', `${path}/test`);
  expect(api.deps.registrations.reads).toBe(1);
  for (let i = 0; i < 14; i++) {
    pass(1);
    await daily();
  }
  expect(api.deps.registrations.reads).toBe(3);
  await call('POST', `${path}/test`);
  expect(api.deps.registrations.reads).toBe(4);
  // A failed test says nothing about the registration.
  api.deps.tenant.answers.set(GOOD_SECRET, 'AADSTS7000215');
  await call('POST', `${path}/test`);
  pass(30);
  await daily();
  expect(api.deps.registrations.reads).toBe(4);
});

it('keeps what it knows while Microsoft or the vault is unavailable, and one failure holds up nobody', async () => {
  entraShows(secret('2026-06-20T00:00:00Z'));
  await call('POST', `${path}/test`);
  const before = (await shown()).entra;
  api.deps.registrations.answer = { kind: 'unavailable' };
  await call('POST', `${path}/test`);
  pass(1);
  expect(await daily()).toMatchObject({ read: 0, failed: 0 });
  expect((await shown()).entra).toEqual(before);
  api.deps.registrations.read = async () => {
    throw new TypeError('a defect');
  };
  expect(await daily()).toMatchObject({ read: 0, failed: 1, isComplete: true });
});

it('the daily run stops in time while Microsoft is slow, and the next one goes on', async () => {
  await registerMore(11);
  await call('POST', `${path}/test`);
  pass(8);
  entraShows(secret('2026-09-20T12:30:00Z'));
  const { read } = api.deps.registrations;
  api.deps.registrations.read = async (...args) => {
    api.deps.time.now = new Date(api.deps.time.now.getTime() + 60_000);
    return read(...args);
  };
  const first = await daily();
  expect(first).toMatchObject({ isComplete: false });
  expect(first?.read).toBeLessThan(12);
  api.deps.registrations.read = read;
  expect(await daily()).toMatchObject({ isComplete: true, read: 12 - (first?.read ?? 0) });
});

it('the daily run goes on after customers whose Microsoft takes up all of its time without an answer', async () => {
  for (let i = 0; i < 6; i++) await api.customer();
  await registerMore(11);
  pass(8);
  const asked: (string | undefined)[] = [];
  const { list } = api.deps.customers;
  api.deps.customers.list = (page) => {
    asked.push(page.cursor);
    return list(page);
  };
  api.deps.registrations.read = async () => {
    api.deps.time.now = new Date(api.deps.time.now.getTime() + 200_000);
    return { kind: 'unavailable' };
  };
  expect(await daily()).toMatchObject({ isComplete: false, read: 0 });
  pass(1);
  await daily();
  expect(asked[0]).toBeUndefined();
  expect(asked[1]).toBeDefined();
});

it('a customer whose many connections are slow takes no turn from the others', async () => {
  const others = await Promise.all(Array.from({ length: 8 }, () => api.customer()));
  const [slow, ...quick] = [acme, ...others].sort((a, b) => (a.id < b.id ? -1 : 1));
  for (acme of quick) await registerMore(1);
  acme = slow ?? acme;
  await registerMore(12);
  pass(8);
  entraShows(secret('2026-09-20T12:30:00Z'));
  slowDown(({ customerId }) => customerId === slow?.id, 15_000);
  expect(await daily()).toMatchObject({ read: quick.length, isComplete: false });
});

it('connections that never answer are not always the first of their customer', async () => {
  await registerMore(23);
  await call('POST', `${path}/test`);
  pass(8);
  entraShows(secret('2026-09-20T12:30:00Z'));
  const { items } = await api.deps.connections.list(acme.id, { limit: 50 });
  const stuck = new Set(items.slice(0, 8).map(({ id }) => id));
  // Four at once take up a whole run.
  slowDown(({ id }) => stuck.has(id), 60_000);
  let seed = 7;
  const random = () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  let read = 0;
  for (let run = 0; run < 19 && read < 16; run++) {
    read += (await daily(random))?.read ?? 0;
    pass(1 / 24);
  }
  expect(read).toBe(16);
});

it('200: a date that somebody enters is shown beside the one of Entra, until it is the same', async () => {
  entraShows(secret('2026-09-20T12:30:00Z'));
  await call('POST', `${path}/test`);
  await call('PATCH', path, { clientSecretExpiresAt: '2026-08-01' });
  expect(await shown()).toMatchObject({
    clientSecret: { expiresAt: '2026-08-01T00:00:00.000Z' },
    entra: { expiresAt: '2026-09-20T12:30:00.000Z', enteredExpiresAt: '2026-08-01T00:00:00.000Z' },
  });
  await call('PATCH', path, { clientSecretExpiresAt: '2026-09-20' });
  expect((await shown()).entra).toMatchObject({ enteredExpiresAt: null });
  pass(1);
  await daily();
  expect(await shown()).toMatchObject({
    clientSecret: { expiresAt: '2026-09-20T12:30:00.000Z' },
    entra: { enteredExpiresAt: null },
  });
});

it('200: another app begins without what is known about the former one', async () => {
  entraShows(secret('2026-09-20T12:30:00Z'));
  await call('POST', `${path}/test`);
  api.deps.registrations.answer = { kind: 'unavailable' };
  await call('PATCH', path, { clientId: '00000000-0000-4000-8000-00000000abcd' });
  expect((await shown()).entra).toBeNull();
});

it('a new secret begins without what is known about the old one', async () => {
  entraShows(secret('2026-06-20T00:00:00Z'));
  await call('POST', `${path}/test`);
  api.deps.registrations.answer = { kind: 'unavailable' };
  api.deps.tenant.answers.set('better-8Q~value', READER);
  const renewal = { clientSecret: 'better-8Q~value', clientSecretExpiresAt: '2027-06-01' };
  await call('PUT', `${path}/client-secret`, renewal);
  expect(await shown()).toMatchObject({ clientSecret: { expiresAt: '2027-06-01T00:00:00.000Z' }, entra: null });
});
