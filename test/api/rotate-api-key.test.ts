import { describe, expect, it } from 'vitest';
import { addFunctions } from '../../functions/add-functions.ts';
import { operatorKeys } from '../../shared/adapters/operator-key.ts';
import { createApiKeyVerifier } from '../../shared/api-keys/verify-api-key.ts';
import { createRateLimits } from '../../shared/edge/admission/rate-limits.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { createApi, OPERATOR_KEY } from '../support/api.ts';
import { createFunctionCaller } from '../support/function-caller.ts';

const CACHED_MS = 15_000;
const UNLIMITED = {
  requestsPerKey: 1_000_000,
  requestsPerCustomer: 1_000_000,
  requestsWindowMs: 10_000,
  connectionTestsPerMinute: 1_000_000,
  madeKeysPerMinute: 1_000_000,
  failedKeysPerMinute: 1_000_000,
  publicRequestsPerMinute: 1_000_000,
};
const idOf = (key: string) => /key_[0-9a-z]+/.exec(key)?.[0] ?? '';
const keysOf = (customerId: string) => `/v1/customers/${customerId}/api-keys`;

type Api = ReturnType<typeof createApi>;
interface Shown {
  id: string;
  key: string;
  expiresAt: string | null;
  replacedBy: string | null;
}

async function rotate(api: Api, acme: { id: string; key: string }, overlapSeconds: number, headers = {}) {
  const path = `${keysOf(acme.id)}/${idOf(acme.key)}/rotate`;
  const response = await api.request('POST', path, { key: acme.key, body: { overlapSeconds }, headers });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Shown };
}

async function listed(api: Api, customerId: string): Promise<Shown[]> {
  const response = await api.request('GET', keysOf(customerId), { key: OPERATOR_KEY });
  return ((await response.json()) as { items: Shown[] }).items;
}

/** Another process over the same stores: it has its own cache of keys. */
function startSecondProcess({ deps }: Api) {
  const caller = createFunctionCaller();
  const { isOperatorKey } = operatorKeys(new Secret(OPERATOR_KEY));
  const { apiKeyStore, customers, clock } = deps;
  const cached = { cachedMs: CACHED_MS, unknownCachedMs: 10_000 };
  addFunctions(caller.host, {
    ...deps,
    apiKeys: createApiKeyVerifier({ apiKeyStore, customers, clock, isOperatorKey }, cached),
  });
  return caller;
}

describe('POST …/api-keys/{keyId}/rotate', () => {
  it('201: makes a key like the old one, and ends the old one after the overlap', async () => {
    const api = createApi();
    const acme = await api.customer();
    const { status, headers, body } = await rotate(api, acme, 3600);
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`${keysOf(acme.id)}/${body.id}`);
    expect(body).toMatchObject({
      name: 'owner',
      role: 'owner',
      expiresAt: null,
      key: expect.stringContaining(body.id),
    });
    const byId = Object.fromEntries((await listed(api, acme.id)).map((key) => [key.id, key]));
    expect(byId).toMatchObject({
      [idOf(acme.key)]: { expiresAt: '2026-06-01T01:00:00.000Z', replacedBy: body.id },
      [body.id]: { expiresAt: null, replacedBy: null },
    });
  });

  it('201: the new key is valid for as long as the old one was, and the old one never gets more time', async () => {
    const api = createApi();
    const { id } = await api.customer();
    const body = { name: 'x', role: 'owner', expiresAt: '2026-06-11T00:00:00Z' };
    const made = await api.request('POST', keysOf(id), { key: OPERATOR_KEY, body });
    const { key } = (await made.json()) as Shown;
    api.deps.time.now = new Date('2026-06-10T12:00:00Z');
    const rotated = await rotate(api, { id, key }, 30 * 24 * 3600);
    expect(rotated.body.expiresAt).toBe('2026-06-20T12:00:00.000Z');
    expect((await listed(api, id)).find((one) => one.id === idOf(key))?.expiresAt).toBe('2026-06-11T00:00:00.000Z');
  });

  it('201: replays the answer for the same Idempotency-Key, without the key', async () => {
    const api = createApi();
    const acme = await api.customer();
    const first = await rotate(api, acme, 60, { 'idempotency-key': 'once' });
    const second = await rotate(api, acme, 60, { 'idempotency-key': 'once' });
    expect(first.body.key).toMatch(/^muster_/);
    const { key: _key, ...rest } = first.body;
    expect([second.status, second.headers.get('idempotency-replayed'), second.body]).toEqual([201, 'true', rest]);
    expect(await listed(api, acme.id)).toHaveLength(2);
  });

  it('409: a key is rotated once, also when two ask at the same time, and the loser leaves no key behind', async () => {
    const api = createApi();
    const acme = await api.customer();
    const both = await Promise.all([rotate(api, acme, 60), rotate(api, acme, 60)]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(await listed(api, acme.id)).toHaveLength(2);
    expect((await rotate(api, acme, 60)).body).toMatchObject({ code: 'wrong_state', replacedBy: expect.any(String) });
  });

  it('409: an expired key cannot be rotated, nor can one more be made at the cap', async () => {
    const api = createApi();
    const acme = await api.customer();
    api.deps.quotas.keysMax = 1;
    expect((await rotate(api, acme, 60)).body).toMatchObject({ status: 409, code: 'quota_reached', limit: 1 });
    const expired = { name: 'x', role: 'member', expiresAt: '2026-06-01T00:00:01Z' };
    api.deps.quotas.keysMax = 9;
    const made = await api.request('POST', keysOf(acme.id), { key: acme.key, body: expired });
    const { id } = (await made.json()) as Shown;
    api.deps.time.now = new Date('2026-06-01T00:00:02Z');
    const body = { overlapSeconds: 0 };
    const refused = await api.request('POST', `${keysOf(acme.id)}/${id}/rotate`, { key: acme.key, body });
    expect(await refused.json()).toMatchObject({ status: 409, code: 'wrong_state' });
  });

  it('404: another customer’s key, and an operator’s for an owner', async () => {
    const api = createApi();
    const [acme, globex] = [await api.customer(), await api.customer()];
    const stolen = await api.request('POST', `${keysOf(globex.id)}/${idOf(globex.key)}/rotate`, {
      key: acme.key,
      body: { overlapSeconds: 60 },
    });
    expect(stolen.status).toBe(404);
    const ours = { name: 'ours', role: 'operator', expiresAt: '2026-09-01T00:00:00Z' };
    const made = await api.request('POST', keysOf(acme.id), { key: OPERATOR_KEY, body: ours });
    const { id } = (await made.json()) as Shown;
    const path = `${keysOf(acme.id)}/${id}/rotate`;
    const body = { overlapSeconds: 60 };
    expect((await api.request('POST', path, { key: acme.key, body })).status).toBe(404);
    expect((await api.request('POST', path, { key: OPERATOR_KEY, body })).status).toBe(201);
  });

  it('fails no request of 50 a second with the old key during the overlap, and every one within the cache time after it', async () => {
    const api = createApi();
    const acme = await api.customer();
    // Half a minute passes in a second here, and the limits count by the real clock.
    Object.assign(api.deps.rateLimits, createRateLimits(UNLIMITED));
    const processes = [api, startSecondProcess(api)];
    const startedAt = api.deps.time.now.getTime();
    const OVERLAP_MS = 10_000;
    const statuses: { atMs: number; status: number }[] = [];
    let rotated: Awaited<ReturnType<typeof rotate>> | undefined;
    for (let atMs = 0; atMs <= 5_000 + OVERLAP_MS + CACHED_MS + 1_000; atMs += 20) {
      api.deps.time.now = new Date(startedAt + atMs);
      if (atMs === 5_000) rotated = await rotate(api, acme, OVERLAP_MS / 1000);
      const process = processes[(atMs / 20) % processes.length] ?? api;
      const { status } = await process.request('GET', `/v1/customers/${acme.id}`, { key: acme.key });
      statuses.push({ atMs: atMs - 5_000, status });
      if (rotated) expect((await process.request('GET', '/v1/me', { key: rotated.body.key })).status).toBe(200);
    }
    const between = (from: number, to: number) =>
      new Set(statuses.filter(({ atMs }) => atMs >= from && atMs < to).map(({ status }) => status));
    expect(between(-5_000, OVERLAP_MS)).toEqual(new Set([200]));
    expect(between(OVERLAP_MS + CACHED_MS, Number.POSITIVE_INFINITY)).toEqual(new Set([401]));
  });
});
