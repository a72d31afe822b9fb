import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createEndpoint } from '../../shared/edge/endpoint.ts';
import { createPublicEndpoint } from '../../shared/edge/public-endpoint.ts';
import { DomainError } from '../../shared/kernel/errors.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { createApi, JSON_BODY_MAX_BYTES, OPERATOR_KEY } from '../support/api.ts';

const secret = z.string().transform((value) => new Secret(value));

/** The API with a few extra routes, to test what the wrapper does for every route. */
function createTrial(handle: () => Promise<object> = async () => ({ jsonBody: { ok: true } })) {
  const api = createApi();
  const endpoint = createEndpoint(api.deps);
  const publicEndpoint = createPublicEndpoint(api.deps);
  const seen: unknown[] = [];
  api.host.http('trial-post', {
    methods: ['POST'],
    route: 'v1/trial',
    handler: endpoint({
      permission: 'manage',
      body: z.strictObject({ name: z.string(), clientSecret: secret, list: z.array(z.int()).optional() }),
      handle: async (call) => {
        seen.push(call);
        call.log('info', 'trial', { body: call.body, big: 1n });
        return handle();
      },
    }),
  });
  api.host.http('trial-act', {
    methods: ['POST'],
    route: 'v1/trial/act',
    handler: endpoint({ permission: 'manage', handle }),
  });
  api.host.http('trial-get', {
    methods: ['GET'],
    route: 'v1/trial',
    handler: endpoint({ permission: 'read', handle }),
  });
  api.host.http('trial-open', { methods: ['GET'], route: 'v1/open', handler: publicEndpoint({ handle }) });
  return { ...api, seen };
}

const good = { name: 'x', clientSecret: 'very-secret' };

async function* much(seen: { bytes: number }) {
  for (let i = 0; i < 320; i++) {
    seen.bytes += 65_536;
    yield Buffer.alloc(65_536, 0x20);
  }
}

describe('a body', () => {
  it.each([
    ['malformed JSON', '{"name": ', 400, 'malformed_request'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22]), 400, 'malformed_request'],
    ['nothing at all', '', 400, 'malformed_request'],
    ['not an object', '[]', 400, 'validation_failed'],
  ])('400: %s', async (_, raw, status, code) => {
    const api = createTrial();
    const { key } = await api.customer();
    const response = await api.request('POST', '/v1/trial', {
      key,
      raw,
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, status });
  });

  it('400: names every wrong field by its path, and repeats none of the values', async () => {
    const api = createTrial();
    const { key } = await api.customer();
    const body = { clientSecret: 12345, list: [1, 'two', 3.5], nam: 'tom' };
    const response = await api.request('POST', '/v1/trial', { key, body });
    const text = await response.text();
    const { errors } = JSON.parse(text) as { errors: { path: string; message: string }[] };
    expect(errors.map(({ path }) => path).sort()).toEqual(['clientSecret', 'list.1', 'list.2', 'nam', 'name']);
    expect(text).not.toMatch(/12345|two|tom/);
  });

  it('415: another media type; a missing one counts as JSON', async () => {
    const api = createTrial();
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
      statuses.push((await api.request('POST', '/v1/trial', { key, raw, headers })).status);
    }
    expect(statuses).toEqual([415, 415, 200, 200]);
  });

  it('413: one byte over the limit, with or without a content-length', async () => {
    const api = createTrial();
    const { key } = await api.customer();
    const frame = JSON.stringify({ ...good, name: '' }).length;
    const send = (length: number) =>
      api.request('POST', '/v1/trial', { key, body: { ...good, name: 'n'.repeat(length - frame) } });
    expect((await send(JSON_BODY_MAX_BYTES)).status).toBe(200);
    const refused = await send(JSON_BODY_MAX_BYTES + 1);
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({ code: 'payload_too_large' });
    const declared = { 'content-length': String(JSON_BODY_MAX_BYTES + 1) };
    const lied = await api.request('POST', '/v1/trial', { key, body: good, headers: declared });
    expect(lied.status).toBe(413);
  });

  it('413: reads 20 MB without a content-length to the end, so that the sender gets the answer', async () => {
    const api = createTrial();
    const { key } = await api.customer();
    for (const path of ['/v1/trial', '/v1/trial/act']) {
      const seen = { bytes: 0 };
      const response = await api.request('POST', path, { key, raw: much(seen) });
      expect(response.status).toBe(413);
      expect(seen.bytes).toBe(320 * 65_536);
    }
  });

  it('400: a body that ends early is the caller’s error', async () => {
    const api = createTrial();
    const { key } = await api.customer();
    async function* broken() {
      yield Buffer.from('{"na');
      throw new Error('socket hang up');
    }
    const response = await api.request('POST', '/v1/trial', { key, raw: broken() });
    expect(await response.json()).toMatchObject({ status: 400, code: 'malformed_request' });
  });

  it('400: a route without a body accepts none or an empty object, and nothing else', async () => {
    const api = createTrial();
    const { key } = await api.customer();
    expect((await api.request('POST', '/v1/trial/act', { key })).status).toBe(200);
    expect((await api.request('POST', '/v1/trial/act', { key, body: {} })).status).toBe(200);
    const response = await api.request('POST', '/v1/trial/act', { key, body: { hurry: true } });
    expect(await response.json()).toMatchObject({ status: 400, errors: [{ path: 'hurry' }] });
  });

  it('never prints a secret, even if a whole body is logged', async () => {
    const api = createTrial();
    const { key } = await api.customer();
    await api.request('POST', '/v1/trial', { key, body: good });
    const printed = api.logs.map(({ text }) => text).join('\n');
    expect(printed).toContain('"clientSecret":"[secret]"');
    expect(printed).not.toContain('very-secret');
    expect(printed).not.toContain(key);
  });
});

describe('the caller', () => {
  it('400: an operator without a customer; 404: with an unknown one; 200: with a known one', async () => {
    const api = createTrial();
    const { id } = await api.customer();
    const ask = (headers = {}) => api.request('GET', '/v1/trial', { key: OPERATOR_KEY, headers });
    expect(await (await ask()).json()).toMatchObject({ status: 400, code: 'customer_required' });
    expect((await ask({ 'muster-customer': 'cust_none' })).status).toBe(404);
    expect((await ask({ 'muster-customer': id })).status).toBe(200);
  });

  // Naming another customer must not give access to it.
  it('acts for its own customer, whatever its headers say', async () => {
    const api = createTrial();
    const [acme, globex] = [await api.customer(), await api.customer()];
    const headers = { 'muster-customer': globex.id };
    await api.request('POST', '/v1/trial', { key: acme.key, headers, body: good });
    expect(api.seen).toMatchObject([{ actor: { customerId: acme.id } }]);
  });
});

describe('an error', () => {
  it('500: a defect answers with nothing but a request ID, under which it is logged', async () => {
    const api = createTrial(async () => {
      throw new TypeError('cannot read table at 10.0.0.4', { cause: new Error('deep down') });
    });
    const { key } = await api.customer();
    for (const path of ['/v1/trial', '/v1/open']) {
      const response = await api.request('GET', path, { key });
      expect(response.status).toBe(500);
      const problem = (await response.json()) as { requestId: string };
      expect(Object.keys(problem).sort()).toEqual(['requestId', 'status', 'title', 'type']);
      const line = api.logs.find(({ level, text }) => level === 'error' && text.includes(problem.requestId));
      expect(line?.text).toContain('deep down');
    }
  });

  it('500: a thrown value that is not an Error', async () => {
    const api = createTrial(async () => {
      throw 'a string';
    });
    const { key } = await api.customer();
    expect((await api.request('GET', '/v1/trial', { key })).status).toBe(500);
  });

  it('409: sends neither cause nor context, and no member overrides the status', async () => {
    const api = createTrial(async () => {
      throw new DomainError('slot_limit_reached', 'Too few.', {
        cause: new Error('internals'),
        context: { row: 'r-7' },
        members: { needed: 9, free: 2, status: 200 },
      });
    });
    const { key } = await api.customer();
    const response = await api.request('GET', '/v1/trial', { key });
    expect(response.status).toBe(409);
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ code: 'slot_limit_reached', status: 409, needed: 9, free: 2 });
    expect(text).not.toMatch(/internals|r-7/);
  });

  it.each([
    ['microsoft_throttled', 17.2, 503, '18'],
    ['vault_unavailable', undefined, 503, '5'],
    ['storage_unavailable', 1, 503, '1'],
  ] as const)('%s: says when to try again', async (code, retryAfterSeconds, status, header) => {
    const api = createTrial(async () => {
      throw new DomainError(code, 'Later.', retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
    });
    const { key } = await api.customer();
    const response = await api.request('GET', '/v1/trial', { key });
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, header]);
  });
});
