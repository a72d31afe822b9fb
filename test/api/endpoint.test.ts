import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createEndpoint } from '../../shared/edge/routes/endpoint.ts';
import { createPublicEndpoint } from '../../shared/edge/routes/public-endpoint.ts';
import { DomainError } from '../../shared/kernel/errors.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { createApi, JSON_BODY_MAX_BYTES, OPERATOR_KEY } from '../support/api.ts';
import { jsonOf } from '../support/json-of.ts';

const secret = z.string().transform((value) => new Secret(value));

/** The API with a few extra routes, to test what the wrapper does for every route. */
function createTestApi(handle: () => Promise<object> = async () => ({ jsonBody: { ok: true } })) {
  const api = createApi();
  const endpoint = createEndpoint(api.deps);
  const publicEndpoint = createPublicEndpoint(api.deps);
  const seen: unknown[] = [];
  api.host.http('test-post', {
    methods: ['POST'],
    route: 'v1/test',
    handler: endpoint({
      permission: 'manage',
      body: z.strictObject({ name: z.string(), clientSecret: secret, list: z.array(z.int()).optional() }),
      handle: async (call) => {
        seen.push(call);
        call.log('info', 'test', { body: call.body, big: 1n });
        return handle();
      },
    }),
  });
  api.host.http('test-act', {
    methods: ['POST'],
    route: 'v1/test/act',
    handler: endpoint({ permission: 'manage', handle }),
  });
  api.host.http('test-get', {
    methods: ['GET'],
    route: 'v1/test',
    handler: endpoint({ permission: 'read', handle }),
  });
  api.host.http('test-open', { methods: ['GET'], route: 'v1/open', handler: publicEndpoint({ handle }) });
  return { ...api, seen };
}

const good = { name: 'x', clientSecret: 'very-secret' };

async function* twentyMegabytes(seen: { bytes: number }) {
  for (let i = 0; i < 320; i++) {
    seen.bytes += 65_536;
    yield Buffer.alloc(65_536, 0x20);
  }
}

describe('a JSON body', () => {
  it.each([
    ['malformed JSON', '{"name": ', 400, 'malformed_request'],
    ['bytes that are not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400, 'malformed_request'],
    ['an empty body', '', 400, 'malformed_request'],
    ['an array instead of an object', '[]', 400, 'validation_failed'],
  ])('400: refuses %s', async (_, raw, status, code) => {
    const api = createTestApi();
    const { key } = await api.customer();
    const response = await api.request('POST', '/v1/test', {
      key,
      raw,
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, status });
  });

  it('400: lists every wrong field by its path, and repeats no value', async () => {
    const api = createTestApi();
    const { key } = await api.customer();
    const body = { clientSecret: 12345, list: [1, 'two', 3.5], nam: 'tom' };
    const response = await api.request('POST', '/v1/test', { key, body });
    const text = await response.text();
    const { errors }: { errors: { path: string; message: string }[] } = JSON.parse(text);
    expect(errors.map(({ path }) => path).sort()).toEqual(['clientSecret', 'list.1', 'list.2', 'nam', 'name']);
    expect(text).not.toMatch(/12345|two|tom/);
  });

  it('415: refuses other media types; a missing one counts as JSON', async () => {
    const api = createTestApi();
    const { key } = await api.customer();
    const raw = Buffer.from(JSON.stringify(good));
    const statuses: number[] = [];
    for (const type of [
      'text/csv',
      'application/x-www-form-urlencoded',
      'application/json; charset=utf-8',
      undefined,
    ]) {
      const headers = type ? { 'content-type': type } : {};
      statuses.push((await api.request('POST', '/v1/test', { key, raw, headers })).status);
    }
    expect(statuses).toEqual([415, 415, 200, 200]);
  });

  it('413: refuses one byte over the limit, with or without a content-length', async () => {
    const api = createTestApi();
    const { key } = await api.customer();
    const frame = JSON.stringify({ ...good, name: '' }).length;
    const send = (length: number) =>
      api.request('POST', '/v1/test', { key, body: { ...good, name: 'n'.repeat(length - frame) } });
    expect((await send(JSON_BODY_MAX_BYTES)).status).toBe(200);
    const refused = await send(JSON_BODY_MAX_BYTES + 1);
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({ code: 'payload_too_large' });
    const declared = { 'content-length': String(JSON_BODY_MAX_BYTES + 1) };
    const overdeclared = await api.request('POST', '/v1/test', { key, body: good, headers: declared });
    expect(overdeclared.status).toBe(413);
  });

  it('413: reads 20 MB without a content-length to the end before it refuses, so that the sender gets the answer', async () => {
    const api = createTestApi();
    const { key } = await api.customer();
    for (const path of ['/v1/test', '/v1/test/act']) {
      const seen = { bytes: 0 };
      const response = await api.request('POST', path, { key, raw: twentyMegabytes(seen) });
      expect(response.status).toBe(413);
      expect(seen.bytes).toBe(320 * 65_536);
    }
  });

  it('400: treats a body that ends early as the caller’s error', async () => {
    const api = createTestApi();
    const { key } = await api.customer();
    async function* broken() {
      yield Buffer.from('{"na');
      throw new Error('socket hang up');
    }
    const response = await api.request('POST', '/v1/test', { key, raw: broken() });
    expect(await response.json()).toMatchObject({ status: 400, code: 'malformed_request' });
  });

  it('400: refuses any body but an empty object on a route without one', async () => {
    const api = createTestApi();
    const { key } = await api.customer();
    expect((await api.request('POST', '/v1/test/act', { key })).status).toBe(200);
    expect((await api.request('POST', '/v1/test/act', { key, body: {} })).status).toBe(200);
    const response = await api.request('POST', '/v1/test/act', { key, body: { hurry: true } });
    expect(await response.json()).toMatchObject({ status: 400, errors: [{ path: 'hurry' }] });
  });

  it('never logs a secret, even if a handler logs the whole body', async () => {
    const api = createTestApi();
    const { key } = await api.customer();
    await api.request('POST', '/v1/test', { key, body: good });
    const printed = api.logs.map(({ text }) => text).join('\n');
    expect(printed).toContain('"clientSecret":"[secret]"');
    expect(printed).not.toContain('very-secret');
    expect(printed).not.toContain(key);
  });
});

describe('the caller', () => {
  it('400: refuses an operator who names no customer; 404: an unknown customer; 200: accepts a known one', async () => {
    const api = createTestApi();
    const { id } = await api.customer();
    const ask = (headers = {}) => api.request('GET', '/v1/test', { key: OPERATOR_KEY, headers });
    expect(await (await ask()).json()).toMatchObject({ status: 400, code: 'customer_required' });
    expect((await ask({ 'muster-customer': 'cust_none' })).status).toBe(404);
    expect((await ask({ 'muster-customer': id })).status).toBe(200);
  });

  it('200: acts for its own customer, even if a header names another', async () => {
    const api = createTestApi();
    const [acme, globex] = [await api.customer(), await api.customer()];
    const headers = { 'muster-customer': globex.id };
    await api.request('POST', '/v1/test', { key: acme.key, headers, body: good });
    expect(api.seen).toMatchObject([{ actor: { customerId: acme.id } }]);
  });
});

describe('an error', () => {
  it('500: answers a defect with only a request id, and logs the defect under that id', async () => {
    const api = createTestApi(async () => {
      throw new TypeError('cannot read table at 10.0.0.4', { cause: new Error('deep down') });
    });
    const { key } = await api.customer();
    for (const path of ['/v1/test', '/v1/open']) {
      const response = await api.request('GET', path, { key });
      expect(response.status).toBe(500);
      const problem = await jsonOf<{ requestId: string }>(response);
      expect(Object.keys(problem).sort()).toEqual(['requestId', 'status', 'title', 'type']);
      const line = api.logs.find(({ level, text }) => level === 'error' && text.includes(problem.requestId));
      expect(line?.text).toContain('deep down');
    }
  });

  it('500: answers a thrown value that is not an Error', async () => {
    const api = createTestApi(async () => {
      throw 'a string';
    });
    const { key } = await api.customer();
    expect((await api.request('GET', '/v1/test', { key })).status).toBe(500);
  });

  it('409: shows neither cause nor context, and lets no extra member override the status', async () => {
    const api = createTestApi(async () => {
      throw new DomainError('slot_limit_reached', 'Too few.', {
        cause: new Error('internals'),
        context: { row: 'r-7' },
        members: { needed: 9, free: 2, status: 200 },
      });
    });
    const { key } = await api.customer();
    const response = await api.request('GET', '/v1/test', { key });
    expect(response.status).toBe(409);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: 'slot_limit_reached', status: 409, needed: 9, free: 2 });
    expect(text).not.toMatch(/internals|r-7/);
  });

  it.each([
    ['microsoft_throttled', 17.2, 503, '18'],
    ['vault_unavailable', undefined, 503, '5'],
    ['storage_unavailable', 1, 503, '1'],
  ] as const)('503: %s says when to try again', async (code, retryAfterSeconds, status, header) => {
    const api = createTestApi(async () => {
      throw new DomainError(code, 'Later.', retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
    });
    const { key } = await api.customer();
    const response = await api.request('GET', '/v1/test', { key });
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, header]);
  });
});
