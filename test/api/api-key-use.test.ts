import { describe, expect, it } from 'vitest';
import { DomainError } from '../../shared/kernel/errors.ts';
import { createApi, OPERATOR_KEY } from '../support/api.ts';

type Api = ReturnType<typeof createApi>;
const keysOf = (customerId: string) => `/v1/customers/${customerId}/api-keys`;
const use = async (api: Api, key: string) => (await api.request('GET', '/v1/me', { key })).status;
function pass(api: Api, ms: number): void {
  api.deps.time.now = new Date(api.deps.time.now.getTime() + ms);
}

async function lastUsedAt(api: Api, customerId: string): Promise<string | null | undefined> {
  const response = await api.request('GET', keysOf(customerId), { key: OPERATOR_KEY });
  return ((await response.json()) as { items: { lastUsedAt: string | null }[] }).items[0]?.lastUsedAt;
}

describe('lastUsedAt', () => {
  it('names the hour of the last use, and costs one write an hour', async () => {
    const api = createApi();
    const acme = await api.customer();
    expect(await lastUsedAt(api, acme.id)).toBeNull();
    pass(api, 10 * 60_000);
    for (let i = 0; i < 200; i++) {
      expect(await use(api, acme.key)).toBe(200);
      pass(api, 14_000);
    }
    expect(await lastUsedAt(api, acme.id)).toBe('2026-06-01T00:00:00.000Z');
    expect(api.deps.apiKeyStore.updates).toBe(1);
    pass(api, 3_600_000);
    await use(api, acme.key);
    expect(await lastUsedAt(api, acme.id)).toBe('2026-06-01T01:00:00.000Z');
    expect(api.deps.apiKeyStore.updates).toBe(2);
  });

  it('200: neither storage that does not answer, nor one that refuses, is in the way of the request', async () => {
    const api = createApi();
    const { key } = await api.customer();
    const update = api.deps.apiKeyStore.update;
    api.deps.apiKeyStore.update = () => new Promise(() => undefined);
    expect(await use(api, key)).toBe(200);
    pass(api, 15_000);
    api.deps.apiKeyStore.update = async () => {
      throw new DomainError('storage_unavailable', 'Later.');
    };
    expect(await use(api, key)).toBe(200);
    pass(api, 15_000);
    api.deps.apiKeyStore.update = update;
    expect(await use(api, key)).toBe(200);
    expect(api.deps.apiKeyStore.updates).toBe(1);
  });

  it('does not bring a revoked key back', async () => {
    const api = createApi();
    const acme = await api.customer();
    const { promise, resolve } = Promise.withResolvers<void>();
    const { update } = api.deps.apiKeyStore;
    let written: Promise<unknown> = Promise.resolve();
    api.deps.apiKeyStore.update = (...args) => {
      const late = promise.then(() => update(...args));
      written = late;
      return late;
    };
    await use(api, acme.key);
    const id = /key_[0-9a-z]+/.exec(acme.key)?.[0] ?? '';
    expect((await api.request('DELETE', `${keysOf(acme.id)}/${id}`, { key: OPERATOR_KEY })).status).toBe(204);
    resolve();
    await written;
    expect(await use(api, acme.key)).toBe(401);
  });
});

describe('wrong keys', () => {
  const guess = (key: string, i: number) => `${key.slice(0, -43)}${String(i).padStart(43, 'A')}`;

  it('401: guesses for one key ID cost one read, until it is forgotten that they are wrong', async () => {
    const api = createApi();
    const acme = await api.customer();
    const unknown = acme.key.replace(/key_[0-9a-z]+/, 'key_nobody');
    for (const key of [acme.key, unknown]) {
      const before = api.deps.apiKeyStore.reads;
      for (let i = 0; i < 20; i++) expect(await use(api, guess(key, i))).toBe(401);
      expect(api.deps.apiKeyStore.reads - before).toBe(1);
    }
    pass(api, 10_000);
    const before = api.deps.apiKeyStore.reads;
    expect(await use(api, guess(acme.key, 1))).toBe(401);
    expect(api.deps.apiKeyStore.reads - before).toBe(1);
  });

  it('401: an expired key costs one read, too', async () => {
    const api = createApi();
    const acme = await api.customer();
    const body = { name: 'x', role: 'viewer', expiresAt: '2026-06-01T00:00:01Z' };
    const made = await api.request('POST', keysOf(acme.id), { key: acme.key, body });
    const { key } = (await made.json()) as { key: string };
    pass(api, 1_000);
    const before = api.deps.apiKeyStore.reads;
    for (let i = 0; i < 20; i++) expect(await use(api, key)).toBe(401);
    expect(api.deps.apiKeyStore.reads - before).toBe(1);
  });

  it('200: the right key works while others are guessing it', async () => {
    const api = createApi();
    const { key } = await api.customer();
    expect(await use(api, guess(key, 1))).toBe(401);
    expect(await use(api, key)).toBe(200);
  });
});

describe('an operator’s key', () => {
  const ours = { name: 'ours', role: 'operator', expiresAt: '2026-09-01T00:00:00Z' };

  it('400: must expire', async () => {
    const api = createApi();
    const acme = await api.customer();
    const { expiresAt: _never, ...body } = ours;
    const response = await api.request('POST', keysOf(acme.id), { key: OPERATOR_KEY, body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'validation_failed', errors: [{ path: 'expiresAt' }] });
  });

  it('204: stays when its customer is deleted, and can still be revoked', async () => {
    const api = createApi();
    const acme = await api.customer();
    const made = await api.request('POST', keysOf(acme.id), { key: OPERATOR_KEY, body: ours });
    const { id, key } = (await made.json()) as { id: string; key: string };
    expect((await api.request('DELETE', `/v1/customers/${acme.id}`, { key })).status).toBe(204);
    expect(await use(api, key)).toBe(200);
    expect(await use(api, acme.key)).toBe(401);
    expect((await api.request('DELETE', `${keysOf(acme.id)}/${id}`, { key: OPERATOR_KEY })).status).toBe(204);
    expect(await use(api, key)).toBe(401);
  });
});
