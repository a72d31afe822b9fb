import { describe, expect, it } from 'vitest';
import { createEndpoint } from '../../shared/edge/routes/endpoint.ts';
import { DomainError } from '../../shared/kernel/errors.ts';
import { createApi, OPERATOR_KEY } from '../support/api.ts';
import type { RequestOptions } from '../support/function-caller.ts';
import { jsonOf } from '../support/json-of.ts';

const idempotencyKey = 'a-key-1';
const headers = { 'idempotency-key': idempotencyKey };

/** The API with an upload route that reads the whole body, or refuses it at the first `!`. */
function createTestApi() {
  const api = createApi();
  const runs: string[] = [];
  const state: { until?: Promise<void>; fail?: unknown } = {};
  api.host.http('test-upload', {
    methods: ['POST'],
    route: 'v1/uploads',
    handler: createEndpoint(api.deps)({
      permission: 'manage',
      bodyKind: 'stream',
      async handle({ body }) {
        let text = '';
        await state.until;
        if (state.fail) throw state.fail;
        for await (const chunk of body) {
          text += Buffer.from(chunk).toString();
          if (text.includes('!')) throw new DomainError('file_malformed', 'No shouting.');
        }
        runs.push(text);
        return { status: 202, jsonBody: { run: runs.length } };
      },
    }),
  });
  return { ...api, runs, state };
}

const customer = { name: 'Acme', mailboxSlots: 1 };

describe('a JSON request with an Idempotency-Key', () => {
  const post = (api: ReturnType<typeof createApi>, options: RequestOptions) =>
    api.request('POST', '/v1/customers', { key: OPERATOR_KEY, headers, body: customer, ...options });
  const count = async (api: ReturnType<typeof createApi>) =>
    (await api.deps.customers.list({ limit: 100 })).items.length;

  it('201: does the work once, and replays the first answer', async () => {
    const api = createApi();
    const [first, second] = [await post(api, {}), await post(api, {})];
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect([second.status, await second.text()]).toEqual([201, await first.text()]);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(await count(api)).toBe(1);
  });

  it('422: refuses a different body with the same key', async () => {
    const api = createApi();
    await post(api, {});
    const other = await post(api, { body: { ...customer, mailboxSlots: 2 } });
    expect(await other.json()).toMatchObject({ status: 422, code: 'idempotency_key_reused' });
    expect(await count(api)).toBe(1);
  });

  it('201: replays the answer for 24 hours', async () => {
    const api = createApi();
    await post(api, {});
    api.deps.time.now = new Date('2026-06-01T23:59:59Z');
    await post(api, {});
    expect(await count(api)).toBe(1);
    api.deps.time.now = new Date('2026-06-02T00:00:00Z');
    await post(api, { body: { ...customer, name: 'Other' } });
    expect(await count(api)).toBe(2);
    expect(await api.deps.answers.removeExpired(new Date('2026-06-04T00:00:00Z'))).toBe(1);
  });

  it('400: refuses a malformed key', async () => {
    const api = createApi();
    for (const bad of ['', 'a b', 'x'.repeat(256)]) {
      const response = await post(api, { headers: { 'idempotency-key': bad } });
      expect(await response.json()).toMatchObject({ status: 400, errors: [{ path: 'Idempotency-Key' }] });
    }
  });

  it('201: a key counts for one customer and one route only', async () => {
    const api = createApi();
    const [acme, globex] = [await api.customer(), await api.customer()];
    const make = async ({ id, key }: typeof acme) => {
      const body = { name: 'x', role: 'viewer' };
      return api.request('POST', `/v1/customers/${id}/api-keys`, { key, headers, body });
    };
    const answers = [await make(acme), await make(globex), await post(api, {})];
    expect(answers.map((answer) => answer.headers.get('idempotency-replayed'))).toEqual([null, null, null]);
  });

  // Someone who finds an old Idempotency-Key in a log must not get the credential.
  it('201: replays the answer without its credential', async () => {
    const api = createApi();
    const { id, key } = await api.customer();
    const options = { key, headers, body: { name: 'x', role: 'viewer' } };
    const path = `/v1/customers/${id}/api-keys`;
    const first = await jsonOf<{ key: string }>(await api.request('POST', path, options));
    const again = await api.request('POST', path, options);
    const { key: made, ...rest } = first;
    expect(made).toBeDefined();
    expect(await again.json()).toEqual(rest);
  });

  it('409: replays a refusal; 503 and 500: does the work again', async () => {
    const api = createApi();
    const insert = api.deps.customers.insert;
    const failWith = (error?: Error) => {
      api.deps.customers.insert = async (one) => {
        if (error) throw error;
        return insert(one);
      };
    };
    failWith(new DomainError('storage_unavailable', 'Unavailable.'));
    expect((await post(api, {})).status).toBe(503);
    failWith(new Error('defect'));
    expect((await post(api, {})).status).toBe(500);
    failWith(new DomainError('conflict', 'Taken.'));
    expect((await post(api, {})).status).toBe(409);
    failWith();
    const replayed = await post(api, {});
    expect([replayed.status, replayed.headers.get('idempotency-replayed')]).toEqual([409, 'true']);
    expect(replayed.headers.get('content-type')).toBe('application/problem+json');
    expect(await count(api)).toBe(0);
  });

  it('409: refuses while the first request is running; one of ten concurrent requests does the work', async () => {
    const api = createApi();
    const answers = await Promise.all(Array.from({ length: 10 }, () => post(api, {})));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses[0]).toBe(201);
    expect(new Set(statuses.slice(1))).not.toContain(500);
    expect(await count(api)).toBe(1);
    const held = answers.find(({ status }) => status === 409);
    expect(held?.headers.get('retry-after')).toBe('2');
  });

  it('201: accepts the key again two minutes after the first request died', async () => {
    const api = createApi();
    const update = api.deps.answers.update;
    api.deps.answers.update = () => new Promise(() => undefined);
    void post(api, {});
    await new Promise((resolve) => setImmediate(resolve));
    api.deps.answers.update = update;
    expect((await post(api, {})).status).toBe(409);
    expect((await post(api, { body: { ...customer, mailboxSlots: 2 } })).status).toBe(422);
    api.deps.time.now = new Date('2026-06-01T00:02:00Z');
    expect((await post(api, {})).status).toBe(201);
    const replayed = await post(api, {});
    expect(replayed.headers.get('idempotency-replayed')).toBe('true');
  });

  it('201: answers even if the answer cannot be stored', async () => {
    const api = createApi();
    api.deps.answers.update = async () => {
      throw new DomainError('storage_unavailable', 'Unavailable.');
    };
    expect((await post(api, {})).status).toBe(201);
  });
});

describe('an upload with an Idempotency-Key', () => {
  async function* inChunks(text: string, size: number) {
    for (let i = 0; i < text.length; i += size) yield Buffer.from(text.slice(i, i + size));
  }
  const form = (boundary: string, content: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="file"\r\n\r\n${content}\r\n--${boundary}--\r\n`;

  it('202: does the work once, even if the chunks of the second upload differ', async () => {
    const api = createTestApi();
    const { key } = await api.customer();
    const post = (text: string, size: number) =>
      api.request('POST', '/v1/uploads', { key, headers, raw: inChunks(text, size) });
    const first = await post('one,two,three', 5);
    const second = await post('one,two,three', 2);
    expect(await second.json()).toEqual(await first.json());
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect((await post('one,two,four', 2)).status).toBe(422);
    expect((await post('one,two,three ', 20)).status).toBe(422);
    expect(api.runs).toEqual(['one,two,three']);
  });

  it('202: treats a form with a new boundary as the same form; 422: refuses other content', async () => {
    const api = createTestApi();
    const { key } = await api.customer();
    const post = (boundary: string, content: string, size: number) => {
      const type = `multipart/form-data; boundary=${boundary}`;
      const raw = inChunks(form(boundary, content), size);
      return api.request('POST', '/v1/uploads', { key, headers: { ...headers, 'content-type': type }, raw });
    };
    await post('----abc', 'rows', 3);
    const same = await post('----xyz-longer', 'rows', 7);
    expect(same.headers.get('idempotency-replayed')).toBe('true');
    expect((await post('----abc', 'rowz', 3)).status).toBe(422);
    expect(api.runs).toHaveLength(1);
  });

  it('400: does not store a refusal that came before the end of the body', async () => {
    const api = createTestApi();
    const { key } = await api.customer();
    const post = (text: string) => api.request('POST', '/v1/uploads', { key, headers, raw: inChunks(text, 1) });
    expect((await post('a!bcdef')).status).toBe(400);
    expect((await post('abcdef')).status).toBe(202);
  });

  it('400: reads the rest of a refused body, so that the sender gets the answer', async () => {
    const api = createTestApi();
    const { key } = await api.customer();
    let sent = 0;
    async function* body() {
      for (sent = 0; sent < 50; sent++) yield Buffer.from(sent === 3 ? '!' : 'x');
    }
    expect((await api.request('POST', '/v1/uploads', { key, raw: body() })).status).toBe(400);
    expect(sent).toBe(50);
  });

  it('409: refuses while the first upload is running, without waiting for the body of the second', async () => {
    const api = createTestApi();
    const { key } = await api.customer();
    const { promise, resolve } = Promise.withResolvers<void>();
    api.state.until = promise;
    const first = api.request('POST', '/v1/uploads', { key, headers, raw: inChunks('abc', 1) });
    await new Promise((resume) => setImmediate(resume));
    const second = await api.request('POST', '/v1/uploads', { key, headers, raw: inChunks('abc', 1) });
    expect(await second.json()).toMatchObject({ code: 'idempotency_in_progress' });
    resolve();
    expect((await first).status).toBe(202);
  });
});
