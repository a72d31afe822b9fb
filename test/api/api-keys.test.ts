import { describe, expect, it } from 'vitest';
import { createApi, OPERATOR_KEY } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';

const keysOf = (customerId: string) => `/v1/customers/${customerId}/api-keys`;

async function make(api: ReturnType<typeof createApi>, path: string, key: string, body: object) {
  const response = await api.request('POST', path, { key, body });
  return { status: response.status, ...(await jsonOf<{ id: string; key: string }>(response)) };
}

describe('POST …/api-keys', () => {
  it('201: shows the key once and stores only its hash', async () => {
    const api = createApi();
    const acme = await api.customer();
    const made = await make(api, keysOf(acme.id), acme.key, { name: 'ci', role: 'member' });
    expect(made).toMatchObject({ status: 201, name: 'ci', role: 'member', expiresAt: null });
    expect(made.key).toMatch(/^muster_cust_\w+_key_\w+_[\w-]{43}$/);
    expect((await api.request('GET', '/v1/me', { key: made.key })).status).toBe(200);
    const listed = await api.request('GET', keysOf(acme.id), { key: acme.key });
    expect(await listed.text()).not.toContain(made.key);
    const stored = await api.deps.apiKeyStore.get(acme.id, made.id);
    expect(JSON.stringify(stored)).not.toContain(made.key.slice(-43));
    expect(api.logs.map(({ text }) => text).join('\n')).not.toContain(made.key.slice(-43));
  });

  it('403: only an operator can create an operator key, which then works for every customer', async () => {
    const api = createApi();
    const acme = await api.customer();
    const body = { name: 'ours', role: 'operator', expiresAt: '2026-09-01T00:00:00Z' };
    expect(await make(api, keysOf(acme.id), acme.key, body)).toMatchObject({ status: 403, code: 'forbidden' });
    const made = await make(api, keysOf(acme.id), OPERATOR_KEY, body);
    expect((await api.request('GET', '/v1/customers', { key: made.key })).status).toBe(200);
    const seenByOwner = await jsonOf<{ items: object[] }>(await api.request('GET', keysOf(acme.id), { key: acme.key }));
    expect(seenByOwner.items).toHaveLength(1);
    expect((await api.request('DELETE', `${keysOf(acme.id)}/${made.id}`, { key: acme.key })).status).toBe(404);
    const seenByOperator = await jsonOf<{ items: object[] }>(
      await api.request('GET', keysOf(acme.id), { key: made.key }),
    );
    expect(seenByOperator.items).toHaveLength(2);
  });

  it('400: lists every wrong field, including an expiry in the past', async () => {
    const api = createApi();
    const acme = await api.customer();
    expect(await make(api, keysOf(acme.id), acme.key, { name: '', role: 'king', expiresAt: 'soon' })).toMatchObject({
      status: 400,
      errors: [{ path: 'name' }, { path: 'role' }, { path: 'expiresAt' }],
    });
    const past = { name: 'x', role: 'member', expiresAt: '2026-05-31T23:59:59Z' };
    expect(await make(api, keysOf(acme.id), acme.key, past)).toMatchObject({
      status: 400,
      errors: [{ path: 'expiresAt' }],
    });
  });

  it('400: names a missing expiry of an operator’s key together with every other wrong field', async () => {
    const api = createApi();
    const acme = await api.customer();
    const errorsOf = async (body: object) => {
      const response = await api.request('POST', keysOf(acme.id), { key: OPERATOR_KEY, body });
      expect(response.status).toBe(400);
      return (await jsonOf<{ errors: object[] }>(response)).errors;
    };
    const missing = { path: 'expiresAt', message: 'is required for a key with the role `operator`' };
    expect(await errorsOf({ name: 'ours', role: 'operator' })).toEqual([missing]);
    const others = [{ path: 'name' }, { path: 'colour' }];
    const found = await errorsOf({ name: '', role: 'operator', colour: 'red' });
    expect(found).toHaveLength(3);
    expect(found).toEqual(expect.arrayContaining([missing, ...others.map((one) => expect.objectContaining(one))]));
    expect(await errorsOf({ name: 'ours', role: 'operator', expiresAt: 'soon' })).toMatchObject([
      { path: 'expiresAt', message: expect.stringContaining('date and time') },
    ]);
  });

  it('404: refuses a key for an unknown customer', async () => {
    const api = createApi();
    expect(await make(api, keysOf('cust_none'), OPERATOR_KEY, { name: 'x', role: 'owner' })).toMatchObject({
      status: 404,
    });
  });
});

describe('a key', () => {
  it('401: stops working the moment it expires, cached or not', async () => {
    const api = createApi();
    const acme = await api.customer();
    const body = { name: 'x', role: 'viewer', expiresAt: '2026-06-01T02:00:05+02:00' };
    const { key } = await make(api, keysOf(acme.id), acme.key, body);
    api.deps.time.now = new Date('2026-06-01T00:00:04.999Z');
    expect((await api.request('GET', '/v1/me', { key })).status).toBe(200);
    api.deps.time.now = new Date('2026-06-01T00:00:05Z');
    expect((await api.request('GET', '/v1/me', { key })).status).toBe(401);
  });

  it('401: stops working immediately when this instance revokes it', async () => {
    const api = createApi();
    const acme = await api.customer();
    const { id, key } = await make(api, keysOf(acme.id), acme.key, { name: 'x', role: 'viewer' });
    expect((await api.request('GET', '/v1/me', { key })).status).toBe(200);
    expect((await api.request('DELETE', `${keysOf(acme.id)}/${id}`, { key: acme.key })).status).toBe(204);
    expect((await api.request('GET', '/v1/me', { key })).status).toBe(401);
    expect((await api.request('DELETE', `${keysOf(acme.id)}/${id}`, { key: acme.key })).status).toBe(404);
  });

  it('401: stops working within the cache time when another instance revokes it', async () => {
    const api = createApi();
    const acme = await api.customer();
    const { id, key } = await make(api, keysOf(acme.id), acme.key, { name: 'x', role: 'viewer' });
    await api.request('GET', '/v1/me', { key });
    await api.deps.apiKeyStore.remove(acme.id, id);
    api.deps.time.now = new Date(api.deps.time.now.getTime() + 15_000);
    expect((await api.request('GET', '/v1/me', { key })).status).toBe(401);
  });

  it('200: is read from storage once for a burst of requests', async () => {
    const api = createApi();
    const { key } = await api.customer();
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.request('GET', '/v1/me', { key })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(api.deps.apiKeyStore.reads).toBe(1);
  });

  it('401: a key with another customer’s id costs one read of storage, and text that is no key costs none', async () => {
    const api = createApi();
    const [acme, globex] = [await api.customer(), await api.customer()];
    expect((await api.request('GET', '/v1/me', { key: acme.key.replace(acme.id, globex.id) })).status).toBe(401);
    const reads = api.deps.apiKeyStore.reads;
    expect((await api.request('GET', '/v1/me', { key: 'x'.repeat(5000) })).status).toBe(401);
    expect(api.deps.apiKeyStore.reads).toBe(reads);
  });
});

describe('races', () => {
  it('401: does not cache a key that is revoked while it is being read', async () => {
    const api = createApi();
    const acme = await api.customer();
    const { id, key } = await make(api, keysOf(acme.id), acme.key, { name: 'x', role: 'viewer' });
    const get = api.deps.apiKeyStore.get;
    const { promise, resolve } = Promise.withResolvers<void>();
    api.deps.apiKeyStore.get = async (...args) => {
      const found = await get(...args);
      if (args[1] === id) await promise;
      return found;
    };
    const reading = api.request('GET', '/v1/me', { key });
    await new Promise((resume) => setImmediate(resume));
    api.deps.apiKeyStore.get = get;
    expect((await api.request('DELETE', `${keysOf(acme.id)}/${id}`, { key: acme.key })).status).toBe(204);
    resolve();
    await reading;
    expect((await api.request('GET', '/v1/me', { key })).status).toBe(401);
  });

  it('404: a key created while its customer is being deleted is deleted too', async () => {
    const api = createApi();
    const acme = await api.customer();
    const insert = api.deps.apiKeyStore.insert;
    api.deps.apiKeyStore.insert = async (...args) => {
      await api.request('DELETE', `/v1/customers/${acme.id}?purge=now`, { key: OPERATOR_KEY });
      await insert(...args);
    };
    expect(await make(api, keysOf(acme.id), OPERATOR_KEY, { name: 'x', role: 'owner' })).toMatchObject({ status: 404 });
    expect(await api.deps.apiKeyStore.list(acme.id, { limit: 9 })).toEqual({ items: [] });
  });
});

describe('GET /v1/me', () => {
  it('200: returns the key’s customer and what its plan allows', async () => {
    const api = createApi();
    const acme = await api.customer({ role: 'viewer', name: 'Acme' });
    await api.deps.slots.claim(acme.id, 'imp_1', 3);
    expect(await (await api.request('GET', '/v1/me', { key: acme.key })).json()).toEqual({
      customer: { id: acme.id, name: 'Acme' },
      role: 'viewer',
      mailboxSlots: 10,
      slotsUsed: 3,
    });
  });

  it('200: returns no customer for an operator who names none', async () => {
    const api = createApi();
    const acme = await api.customer({ name: 'Acme' });
    const plain = await api.request('GET', '/v1/me', { key: OPERATOR_KEY });
    expect(await plain.json()).toMatchObject({ customer: null, role: 'operator' });
    const headers = { 'muster-customer': acme.id };
    const acting = await api.request('GET', '/v1/me', { key: OPERATOR_KEY, headers });
    expect(await acting.json()).toMatchObject({ customer: { name: 'Acme' }, role: 'operator', mailboxSlots: 10 });
    const absent = await api.request('GET', '/v1/me', { key: OPERATOR_KEY, headers: { 'muster-customer': 'cust_x' } });
    expect(absent.status).toBe(404);
  });
});
