import { beforeEach, describe, expect, it } from 'vitest';
import { DomainError } from '../../shared/kernel/errors.ts';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApi, DOMAIN, OPERATOR_KEY } from '../support/api.ts';
import type { RequestOptions } from '../support/function-caller.ts';
import { anImport, aRow } from '../support/records.ts';

// A lost answer, a dead process or a client's retry never makes a second record.

const headers = { 'idempotency-key': 'one-request' };
const registration = {
  name: 'Tailspin',
  tenant: DOMAIN,
  clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37',
  clientSecret: GOOD_SECRET,
  clientSecretExpiresAt: '2026-12-01T00:00:00Z',
};

let api: ReturnType<typeof createApi>;
let key: string;
let customerId: string;

beforeEach(async () => {
  api = createApi();
  ({ id: customerId, key } = await api.customer());
});

type Call = (...args: never[]) => Promise<unknown>;

/** Replaces one method of a store for one call. */
function onNextCall(store: object, name: string, fault: (call: Call) => Call): void {
  const original = Reflect.get(store, name) as Call;
  Reflect.set(store, name, (...args: never[]) => {
    Reflect.set(store, name, original);
    return fault(original)(...args);
  });
}

/** The call is committed, but its answer is lost. */
const losesAnswer =
  (call: Call): Call =>
  async (...args) => {
    await call(...args);
    throw new DomainError('storage_unavailable', 'Lost.');
  };

/** The process dies before the call, or after the call has been committed. */
const diesBefore = (): Call => () => new Promise<never>(() => undefined);
const diesAfter =
  (call: Call): Call =>
  async (...args) => {
    await call(...args);
    return new Promise<never>(() => undefined);
  };

/** Sends a request whose process dies, and waits until nobody believes any more that it is running. */
async function sendAndDie(method: string, path: string, options: RequestOptions): Promise<void> {
  void api.request(method, path, options);
  await new Promise((resolve) => setTimeout(resolve, 20));
  api.deps.time.now = new Date(api.deps.time.now.getTime() + 10 * 60_000);
}

describe('an import', () => {
  let connectionId: string;
  const upload = (csv: string): RequestOptions => ({
    key,
    headers: { ...headers, 'content-type': 'text/csv' },
    raw: (async function* () {
      yield Buffer.from(csv);
    })(),
  });
  const csv = 'email\na@tailspin.example\nb@tailspin.example\n';
  const path = () => `/v1/connections/${connectionId}/imports`;
  const imports = () => api.deps.imports.list(customerId, connectionId, { limit: 10 });

  beforeEach(async () => {
    const registered = await api.request('POST', '/v1/connections', { key, body: registration });
    ({ id: connectionId } = (await registered.json()) as { id: string });
    await api.request('POST', `/v1/connections/${connectionId}/test`, { key });
  });

  async function expectOneImport(): Promise<void> {
    const response = await api.request('POST', path(), upload(csv));
    expect(response.status).toBe(202);
    const { id } = (await response.json()) as { id: string };
    expect((await imports()).items.map((record) => record.id)).toEqual([id]);
    expect((await api.deps.imports.listOpen()).map(({ importId }) => importId)).toEqual([id]);
    expect([...api.deps.uploads.stored.keys()]).toEqual([`${customerId}/${id}`]);
    expect(api.deps.sent.length).toBeGreaterThan(0);
    for (const message of api.deps.sent) expect(message).toMatchObject({ importId: id });
  }

  it.each([
    ['uploads', 'put'],
    ['imports', 'openPointer'],
    ['imports', 'insert'],
  ] as const)('202: is started once when the answer of %s.%s is lost and the client retries', async (store, name) => {
    onNextCall(api.deps[store], name, losesAnswer);
    expect((await api.request('POST', path(), upload(csv))).status).toBe(503);
    await expectOneImport();
  });

  it.each([
    ['before', 'uploads', 'put'],
    ['after', 'uploads', 'put'],
    ['after', 'imports', 'openPointer'],
    ['before', 'imports', 'insert'],
    ['after', 'imports', 'insert'],
    ['before', 'importQueues', 'sendPlan'],
    ['after', 'importQueues', 'sendPlan'],
    ['before', 'answers', 'update'],
    ['after', 'answers', 'update'],
  ] as const)('202: is started once when the process dies %s %s.%s', async (when, store, name) => {
    onNextCall(api.deps[store], name, when === 'before' ? diesBefore : diesAfter);
    await sendAndDie('POST', path(), upload(csv));
    await expectOneImport();
  });

  it('422: a retry with another upload does not replace the upload of a started import', async () => {
    onNextCall(api.deps.imports, 'insert', diesAfter);
    await sendAndDie('POST', path(), upload(csv));
    const other = await api.request('POST', path(), upload('email\nother@tailspin.example\n'));
    expect([other.status, await other.json()]).toMatchObject([422, { code: 'idempotency_key_reused' }]);
    const [stored] = api.deps.uploads.stored.values();
    expect(stored?.bytes.toString()).toBe(csv);
  });

  it.each([
    ['after', 'uploads', 'put'],
    ['before', 'imports', 'insert'],
    ['after', 'imports', 'insert'],
  ] as const)(
    '202: a retry of failed rows is started once when the process dies %s %s.%s',
    async (when, store, name) => {
      const counts = {
        rows: 1,
        accepted: 1,
        rejected: 0,
        duplicates: 0,
        pending: 0,
        waiting: 0,
        passed: 0,
        cancelled: 0,
      };
      const first = {
        customerId,
        connectionId,
        status: 'completed',
        counts: { ...counts, failed: 1, inconclusive: 0 },
      } as const;
      await api.deps.imports.insert(anImport(first));
      const row = aRow({ state: 'failed', cause: 'mailbox_not_found' });
      await api.deps.ledger.commit(connectionId, [{ op: 'createRow', row }]);
      const retry = () => ['POST', '/v1/imports/imp_1/retry-failed', { key, headers }] as const;
      onNextCall(api.deps[store], name, when === 'before' ? diesBefore : diesAfter);
      await sendAndDie(...retry());
      const response = await api.request(...retry());
      expect(response.status).toBe(202);
      const { id } = (await response.json()) as { id: string };
      expect((await imports()).items.map((record) => record.id)).toEqual(['imp_1', id]);
      expect([...api.deps.uploads.stored.keys()]).toEqual([`${customerId}/${id}`]);
    },
  );

  it('202: two requests without a key, or with different keys, start two imports', async () => {
    for (const own of [{}, { 'idempotency-key': 'a' }, { 'idempotency-key': 'b' }]) {
      const options = upload(csv);
      const type = { 'content-type': 'text/csv' };
      expect((await api.request('POST', path(), { ...options, headers: { ...type, ...own } })).status).toBe(202);
    }
    expect((await imports()).items).toHaveLength(3);
  });
});

describe.each([
  [
    'a customer',
    'customers',
    'insert',
    (): string => '/v1/customers',
    { name: 'Globex', mailboxSlots: 3 },
    (): string => OPERATOR_KEY,
  ],
  ['a connection', 'connections', 'insert', (): string => '/v1/connections', registration, (): string => key],
  [
    'an API key',
    'apiKeyStore',
    'insert',
    (): string => `/v1/customers/${customerId}/api-keys`,
    { name: 'ci', role: 'viewer' },
    (): string => key,
  ],
] as const)('%s', (_, store, name, pathOf, body, keyOf) => {
  const send = () => api.request('POST', pathOf(), { key: keyOf(), headers, body });
  async function listed(): Promise<string[]> {
    const list = (await (await api.request('GET', pathOf(), { key: keyOf() })).json()) as { items: { id: string }[] };
    return list.items.map(({ id }) => id);
  }

  it.each([
    ['the answer of its insert is lost', losesAnswer],
    ['the process dies after its insert', diesAfter],
    ['the process dies before its insert', diesBefore],
  ] as const)('201: is made once when %s', async (_why, fault) => {
    const before = await listed();
    onNextCall(api.deps[store], name, fault);
    await sendAndDie('POST', pathOf(), { key: keyOf(), headers, body });
    const response = await send();
    expect(response.status).toBe(201);
    const made = (await response.json()) as { id: string; key?: string };
    const after = await listed();
    expect(after.filter((id) => !before.includes(id))).toEqual([made.id]);
    if (made.key) expect((await api.request('GET', '/v1/me', { key: made.key })).status).toBe(200);
    if (store === 'connections') {
      expect(await (await api.request('POST', `/v1/connections/${made.id}/test`, { key })).json()).toMatchObject({
        verdict: 'passed',
      });
    }
  });
});

describe('a rotated API key', () => {
  const DAY_MS = 24 * 3_600_000;
  const overlap = { overlapSeconds: 3600 };

  it.each([
    ['lost answer', 'insert', losesAnswer],
    ['lost answer', 'update', losesAnswer],
    ['process that dies before', 'insert', diesBefore],
    ['process that dies after', 'insert', diesAfter],
    ['process that dies before', 'update', diesBefore],
    ['process that dies after', 'update', diesAfter],
  ] as const)('201: has one successor after a %s apiKeyStore.%s', async (_why, name, fault) => {
    const expiresAt = new Date(api.deps.time.now.getTime() + 90 * DAY_MS);
    const old = await api.keyFor(customerId, 'viewer', expiresAt);
    const oldId = /key_[0-9a-z]+/.exec(old)?.[0] ?? '';
    const keys = `/v1/customers/${customerId}/api-keys`;
    const before = (await api.deps.apiKeyStore.list(customerId, { limit: 10 })).items.length;
    const rotate = () => api.request('POST', `${keys}/${oldId}/rotate`, { key, headers, body: overlap });

    // Notes the use of the caller's key, so that the next update is the rotation's.
    await api.request('GET', '/v1/me', { key });
    onNextCall(api.deps.apiKeyStore, name, fault);
    await sendAndDie('POST', `${keys}/${oldId}/rotate`, { key, headers, body: overlap });
    const response = await rotate();
    expect(response.status).toBe(201);
    expect(response.headers.get('idempotency-replayed')).toBeNull();
    const made = (await response.json()) as { id: string; key: string; expiresAt: string };
    const { items } = await api.deps.apiKeyStore.list(customerId, { limit: 10 });
    expect(items).toHaveLength(before + 1);
    expect(items.find(({ id }) => id === oldId)).toMatchObject({ replacedBy: made.id });
    // As long as the old key was valid, not as long as its overlap is.
    expect(new Date(made.expiresAt).getTime() - api.deps.time.now.getTime()).toBeGreaterThan(89 * DAY_MS);
    expect((await api.request('GET', '/v1/me', { key: made.key })).status).toBe(200);
  });
});
