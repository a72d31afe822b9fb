import { beforeEach, describe, expect, it } from 'vitest';
import { GOOD_SECRET } from '../fakes/simulated-tenant.ts';
import { createApi, OPERATOR_KEY } from '../support/api.ts';

interface Problem {
  code: string;
  cause?: string;
  errors: { path: string; message: string }[];
  errorsOmitted?: number;
}

let api: ReturnType<typeof createApi>;
let key: string;
let connectionId: string;

const registration = {
  name: 'Tailspin',
  tenant: 'tailspin.example',
  clientId: '8f14e45f-ceea-467a-9b36-34f6c3bb1d2a',
  clientSecret: GOOD_SECRET,
  clientSecretExpiresAt: '2027-06-01T00:00:00Z',
};

beforeEach(async () => {
  api = createApi();
  ({ key } = await api.customer());
  const made = await api.request('POST', '/v1/connections', { key, body: registration });
  connectionId = ((await made.json()) as { id: string }).id;
  await api.request('POST', `/v1/connections/${connectionId}/test`, { key });
});

/** Sends text as JSON. Resolves to the problem, and to how large it is. */
async function send(path: string, raw: string, headers: Record<string, string> = {}) {
  const options = { key, raw, headers: { 'content-type': 'application/json', ...headers } };
  const response = await api.request('POST', path, options);
  const text = await response.text();
  return { status: response.status, problem: JSON.parse(text) as Problem, bytes: text.length };
}

const ones = `[${Array(520_000).fill(1).join(',')}]`;

describe('400: a body of 1 MiB that is wrong everywhere gets a small answer', () => {
  it.each([
    ['wrong mailboxes', (id: string) => `/v1/connections/${id}/imports`, `{"mailboxes":${ones}}`, 9_900],
    ['wrong probes', () => '/v1/connections', `{"probes":${ones}}`, undefined],
    ['an array in place of an object', () => '/v1/connections', ones, undefined],
    [
      'unknown fields',
      () => '/v1/connections',
      `{${Array.from({ length: 90_000 }, (_, i) => `"k${i}":1`).join(',')}}`,
      89_905,
    ],
    [
      'unknown fields where no body is expected',
      (id: string) => `/v1/connections/${id}/test`,
      `{${Array.from({ length: 90_000 }, (_, i) => `"k${i}":1`).join(',')}}`,
      89_900,
    ],
    ['one field with a name of 1 MiB', () => '/v1/connections', `{"${'k'.repeat(1_000_000)}":1}`, undefined],
  ])('%s', async (_, path, raw, omitted) => {
    const { status, problem, bytes } = await send(path(connectionId), raw);
    expect(status).toBe(400);
    expect(problem.code).toBe('validation_failed');
    expect(problem.errors.length).toBeLessThanOrEqual(100);
    expect(problem.errorsOmitted).toBe(omitted);
    expect(bytes).toBeLessThan(16_000);
  });

  it('and other requests get their turn while it is checked', async () => {
    const { parseMailboxList } = await import('../../shared/imports/upload/parse-mailbox-list.ts');
    const body = JSON.parse(`{"mailboxes":${ones}}`);
    let isChecked = false;
    let turns = 0;
    const takeTurns = () => {
      turns++;
      if (!isChecked) setImmediate(takeTurns);
    };
    setImmediate(takeTurns);
    await expect(parseMailboxList(body)).rejects.toMatchObject({ fieldsOmitted: 9_900 });
    isChecked = true;
    // It stops after 10,000 wrong ones. Others get their turn after each thousand.
    expect(turns).toBeGreaterThanOrEqual(9);
  });
});

describe('400: all faults at once', () => {
  it('six different faults in one body are six errors, each with what is expected', async () => {
    const { status, problem } = await send(
      '/v1/connections',
      JSON.stringify({
        name: 7,
        tenant: 'outlook.com',
        clientId: 'x',
        clientSecret: '3f0c1f8e-7c1b-4d0a-9b58-0f4f4f1f9a11',
        clientSecretExpiresAt: '2020-01-01T00:00:00Z',
        cloud: 'mars',
        defaultMailbox: 'nobody',
        surprise: true,
      }),
    );
    expect(status).toBe(400);
    expect(Object.fromEntries(problem.errors.map(({ path, message }) => [path, message]))).toEqual({
      name: 'must be a string, such as "Contoso"',
      tenant: 'belongs to personal Microsoft accounts. Only tenants of organizations can be connected.',
      clientId: 'must be a GUID, such as 8f14e45f-ceea-467a-9b36-34f6c3bb1d2a',
      clientSecret: expect.stringContaining('Value'),
      clientSecretExpiresAt: 'must be in the future',
      cloud: expect.stringMatching(/^must be one of: global, /),
      defaultMailbox: expect.stringContaining('jane@contoso.com'),
      surprise: 'is not a known field',
    });
    expect(problem.cause).toBe('secret_id_pasted');
  });

  it('in the query, a header and the body', async () => {
    const headers = { 'idempotency-key': 'two words' };
    const { problem } = await send('/v1/connections?foo=1', '{}', headers);
    expect(problem.errors).toEqual([
      { path: 'foo', message: 'is not a known field' },
      { path: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters' },
      ...['name', 'tenant', 'clientId', 'clientSecret', 'clientSecretExpiresAt'].map((path) => ({
        path,
        message: 'is required',
      })),
    ]);
  });

  it('in a query, with its cursor', async () => {
    const response = await api.request('GET', '/v1/connections?limit=501&cursor=forged.x&status=a', { key });
    expect(((await response.json()) as Problem).errors).toEqual([
      { path: 'status', message: 'is not a known field' },
      { path: 'limit', message: 'must be at most 500' },
    ]);
    const forged = await api.request('GET', '/v1/connections?status=a&cursor=forged.x', { key });
    expect(((await forged.json()) as Problem).errors.map(({ path }) => path)).toEqual(['status', 'cursor']);
  });
});

it.each([
  ['name', null, 'must be a string, such as "Contoso"'],
  ['name', ' ', 'must not be empty'],
  ['name', 'x'.repeat(201), 'must be at most 200 characters'],
  ['name', 'a\u202eb', 'must not contain control characters or bidirectional controls'],
  ['tenant', 'no tenant', 'must be the ID of the tenant (a GUID) or one of its domains, such as contoso.com'],
  [
    'clientSecretExpiresAt',
    'June 2027',
    'must be a date, such as 2027-05-01, or a date and time with offset, such as 2027-05-01T14:30:00Z',
  ],
  ['probes', [], 'must have at least 1 item'],
  ['probes', 'imap', 'must be an array'],
  ['probes', ['imap', 'imap'], 'names a probe twice'],
  ['cloud', 'simulator', 'is not available in this deployment'],
])('400: says in plain words what %s must be: %#', async (path, value, message) => {
  const { problem } = await send('/v1/connections', JSON.stringify({ ...registration, [path]: value }));
  expect(problem.errors).toEqual([{ path, message }]);
});

it('400: says in plain words what a number must be', async () => {
  const messages = [];
  for (const mailboxSlots of ['5', 1.5, -1, 1e9]) {
    const body = { name: 'x', mailboxSlots };
    const response = await api.request('POST', '/v1/customers', { key: OPERATOR_KEY, body });
    messages.push(...((await response.json()) as Problem).errors.map(({ message }) => message));
  }
  expect(messages).toEqual([
    'must be a number',
    'must be a whole number',
    'must be at least 0',
    'must be at most 10000000',
  ]);
});

describe('hostile bodies', () => {
  const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`;

  it.each([
    ['20 levels', nested(20), 'validation_failed', 'is not a known field'],
    ['500,000 levels of arrays', `{"name":${'['.repeat(500_000)}${']'.repeat(500_000)}}`, 'malformed_request', ''],
    ['500,000 levels, never closed', '['.repeat(500_000), 'malformed_request', ''],
    ['100,000 levels of objects', nested(100_000), 'malformed_request', ''],
    ['a field twice', '{"name":"a","name":"b"}', 'malformed_request', ''],
    ['a field twice, once in disguise', '{"name":"a","n\\u0061me":"b"}', 'malformed_request', ''],
    ['half of a surrogate pair', '{"name":"\\ud83d"}', 'malformed_request', ''],
    ['half of a surrogate pair in a name', '{"\\udc00":1}', 'malformed_request', ''],
    ['__proto__', '{"__proto__":{"role":"operator"}}', 'validation_failed', 'is not a known field'],
    ['constructor', '{"constructor":{"prototype":{}}}', 'validation_failed', 'is not a known field'],
    ['a number too large', '{"name":1e999}', 'validation_failed', 'must be a string'],
    ['no JSON at all', `${'"'.repeat(1_000_001)}`, 'malformed_request', ''],
  ])('400: %s', async (_, raw, code, message) => {
    for (const path of ['/v1/connections', `/v1/connections/${connectionId}/imports`]) {
      const { status, problem, bytes } = await send(path, raw);
      expect(status).toBe(400);
      expect(problem.code).toBe(code);
      expect(JSON.stringify(problem)).toContain(message && (path.endsWith('imports') ? 'is' : message));
      expect(bytes).toBeLessThan(2_000);
    }
  });

  it('201: the same word as a field and as a value, in several objects, is no field twice', async () => {
    const mailboxes = [{ address: 'a@b.example', reference: 'address' }, { address: 'c@b.example' }];
    const { status } = await send(`/v1/connections/${connectionId}/imports`, JSON.stringify({ mailboxes }));
    expect(status).toBe(202);
  });

  it.each(['gzip', 'br', 'gzip, identity', 'x'])(
    '415: Content-Encoding %s, on every kind of body',
    async (encoding) => {
      for (const path of ['/v1/connections', `/v1/connections/${connectionId}/imports`]) {
        for (const type of ['application/json', 'text/csv', 'multipart/form-data; boundary=b']) {
          const { status, problem } = await send(path, 'x', { 'content-encoding': encoding, 'content-type': type });
          expect(status).toBe(415);
          expect(problem.code).toBe('unsupported_media_type');
        }
      }
    },
  );

  it('400: a form of 10,000 parts', async () => {
    const part = (i: number) => `--b\r\ncontent-disposition: form-data; name="f${i}"\r\n\r\nx\r\n`;
    const form = `${Array.from({ length: 10_000 }, (_, i) => part(i)).join('')}--b--\r\n`;
    const type = { 'content-type': 'multipart/form-data; boundary=b' };
    const { status, problem, bytes } = await send(`/v1/connections/${connectionId}/imports`, form, type);
    expect(status).toBe(400);
    expect(problem.errors.map(({ path }) => path)).toEqual(['f0']);
    expect(bytes).toBeLessThan(1_000);
  });

  it('400: a form whose field has a name of 60,000 characters', async () => {
    const form = `--b\r\ncontent-disposition: form-data; name="${'n'.repeat(60_000)}"\r\n\r\nx\r\n--b--\r\n`;
    const type = { 'content-type': 'multipart/form-data; boundary=b' };
    const { status, bytes } = await send(`/v1/connections/${connectionId}/imports`, form, type);
    expect(status).toBe(400);
    expect(bytes).toBeLessThan(1_000);
  });

  it('400: a body that breaks off', async () => {
    async function* broken() {
      yield Buffer.from('{"name":');
      throw new Error('reset');
    }
    for (const path of ['/v1/connections', `/v1/connections/${connectionId}/imports`]) {
      const options = { key, raw: broken(), headers: { 'content-type': 'application/json' } };
      expect((await api.request('POST', path, options)).status).toBe(400);
    }
  });
});

it('every answer tells browsers not to guess its type, and to stay on TLS', async () => {
  const etag = (await api.request('GET', '/v1/me', { key })).headers.get('etag') ?? '';
  const answers = [
    await api.request('GET', '/v1/me', { key }),
    await api.request('GET', '/v1/me', { key, headers: { 'if-none-match': etag } }),
    await api.request('GET', '/v1/me'),
    await api.request('GET', '/v1/health'),
    await api.request('GET', '/v1/consent/callback?state=x'),
    await api.request('DELETE', `/v1/connections/${connectionId}`, { key }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 304, 401, 200, 200, 204]);
  for (const { headers } of answers) {
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
  }
});
