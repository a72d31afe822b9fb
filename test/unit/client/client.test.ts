import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  createMuster,
  MusterError,
  type MusterOptions,
  type RetryOptions,
} from '../../../clients/typescript/src/index.ts';
import {
  answeringFetch,
  type FakeAnswer,
  jsonAnswer,
  networkError,
  problemAnswer,
} from '../../fakes/answering-fetch.ts';

const KEY = 'mk_secret-of-these-tests';
const CLIENT_SECRET = 'simulated-8Q~client-secret';
const registration = {
  name: 'Contoso',
  tenant: 'contoso.com',
  clientId: '0b0e5c1d-2f6a-4b83-8e97-3d4a6c8b1f02',
  clientSecret: CLIENT_SECRET,
  clientSecretExpiresAt: '2035-01-01T00:00:00Z',
};

beforeEach(() => {
  // Every wait ends immediately, and the clock shows how long it would have taken.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: new Date('2026-06-01T00:00:00Z') });
  vi.setTimerTickMode('nextTimerAsync');
  vi.spyOn(Math, 'random').mockReturnValue(1);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const client = (...answers: FakeAnswer[]) => clientThatRetries({}, ...answers);

function clientThatRetries(retry: RetryOptions, ...answers: FakeAnswer[]) {
  const { fetch, received } = answeringFetch(...answers);
  return { muster: createMuster({ url: 'https://muster.test/', key: KEY, fetch, retry }), received };
}

const failureOf = async (call: Promise<unknown>): Promise<MusterError> => {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(MusterError);
  return error as MusterError;
};

describe('a request', () => {
  it('carries the key, and the customer that an operator acts for', async () => {
    const { fetch, received } = answeringFetch(jsonAnswer({ role: 'operator' }));
    await createMuster({ url: 'https://muster.test', key: KEY, customer: 'cust_1', fetch }).me();
    expect(received[0]).toMatchObject({ method: 'GET', path: '/v1/me' });
    expect(received[0]?.headers.get('authorization')).toBe(`Bearer ${KEY}`);
    expect(received[0]?.headers.get('muster-customer')).toBe('cust_1');
  });

  it('does not follow redirects', async () => {
    const modes: string[] = [];
    const { muster } = client((request) => {
      modes.push(request.redirect);
      return new Response(null, { status: 307, headers: { location: 'https://elsewhere.test' } });
    });
    expect(await failureOf(muster.connections.create(registration))).toMatchObject({ code: 'unexpected_answer' });
    expect(modes).toEqual(['manual']);
  });

  it('encodes ids and addresses', async () => {
    const { muster, received } = client(jsonAnswer({}));
    await muster.mailboxes.get('conn_1', 'a+b/c@contoso.com');
    expect(received[0]?.path).toBe('/v1/connections/conn_1/mailboxes/a%2Bb%2Fc%40contoso.com');
  });
});

it('a setup script is its text, and undo is a word of the query', async () => {
  const script = () => new Response('#Requires -Version 5.1', { headers: { 'content-type': 'text/plain' } });
  const { muster, received } = client(script, script);
  const query = { access: 'graph-scoped', group: "o'neil & co@contoso.com" } as const;
  expect(await muster.connections.setupScript('conn_1', query)).toBe('#Requires -Version 5.1');
  await muster.connections.setupScript('conn_1', { access: 'imap', undo: true });
  expect(received.map(({ path }) => path)).toEqual([
    '/v1/connections/conn_1/setup-script?access=graph-scoped&group=o%27neil%20%26%20co%40contoso.com',
    '/v1/connections/conn_1/setup-script?access=imap&undo=true',
  ]);
});

it('mailboxes and actions on many of them are changed where the API has them', async () => {
  const action = { id: 'act_1', status: 'running', percent: 40 };
  const ended = { ...action, status: 'completed', percent: 100 };
  const answers = [...Array.from({ length: 6 }, () => jsonAnswer({})), new Response(null, { status: 204 })];
  const { muster, received } = client(...answers, jsonAnswer(action), jsonAnswer(action), jsonAnswer(ended));
  const { mailboxes, mailboxActions } = muster;
  const mailbox = ['conn_1', 'jane@contoso.com'] as const;
  await mailboxes.update(...mailbox, { dailyLimit: null });
  await mailboxes.pause(...mailbox, { idempotencyKey: 'mine' });
  await mailboxes.resume(...mailbox);
  await mailboxes.disconnect(...mailbox);
  await mailboxes.reconnect(...mailbox);
  await mailboxes.check(...mailbox);
  expect(await mailboxes.remove(...mailbox)).toBeUndefined();
  const { id } = await mailboxActions.start('conn_1', { action: 'pause', where: { status: ['active'] } });
  const seen: number[] = [];
  await mailboxActions.wait(id, { onProgress: ({ percent }) => void seen.push(percent) });
  const path = '/v1/connections/conn_1/mailboxes/jane%40contoso.com';
  expect(received.map(({ method, path: sent }) => `${method} ${sent}`)).toEqual([
    `PATCH ${path}`,
    ...['pause', 'resume', 'disconnect', 'reconnect', 'check'].map((verb) => `POST ${path}/${verb}`),
    `DELETE ${path}`,
    'POST /v1/connections/conn_1/mailbox-actions',
    'GET /v1/mailbox-actions/act_1',
    'GET /v1/mailbox-actions/act_1',
  ]);
  expect(received[0]?.text).toBe('{"dailyLimit":null}');
  expect(received[1]?.headers.get('idempotency-key')).toBe('mine');
  expect(received[7]?.text).toBe('{"action":"pause","where":{"status":["active"]}}');
  expect(seen).toEqual([40, 100]);
});

describe('retries', () => {
  it('repeat after 429, 502, 503, 504 and broken connections, and wait twice as long each time', async () => {
    const { muster, received } = client(
      networkError(),
      problemAnswer(503, 'storage_unavailable'),
      new Response('<html>', { status: 502 }),
      problemAnswer(429, 'rate_limited'),
      jsonAnswer({ role: 'owner' }),
    );
    expect(await muster.me()).toEqual({ role: 'owner' });
    expect(received.map(({ afterMs }) => afterMs)).toEqual([0, 500, 1_500, 3_500, 7_500]);
  });

  it('spread over the whole wait, so that clients which failed together do not return together', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.1);
    const { muster, received } = client(networkError(), jsonAnswer({}));
    await muster.me();
    expect(received.map(({ afterMs }) => afterMs)).toEqual([0, 50]);
  });

  it('wait at least as long as Retry-After says, in seconds or as a date', async () => {
    const { muster, received } = client(
      problemAnswer(429, 'rate_limited', { 'retry-after': '7' }),
      // 17.5 seconds after the first request.
      problemAnswer(503, 'storage_unavailable', { 'retry-after': 'Mon, 01 Jun 2026 00:00:20 GMT' }),
      jsonAnswer({}),
    );
    await muster.me();
    expect(received.map(({ afterMs }) => afterMs)).toEqual([0, 7_500, 21_000]);
  });

  it('leave a wait of more than a minute to the caller', async () => {
    const { muster, received } = client(problemAnswer(429, 'rate_limited', { 'retry-after': '3600' }));
    expect(await failureOf(muster.me())).toMatchObject({ status: 429, retryAfterSeconds: 3_600 });
    expect(received).toHaveLength(1);
  });

  it('end after the fourth, with the last refusal', async () => {
    const refusals = Array.from({ length: 5 }, () => problemAnswer(503, 'vault_unavailable', { 'retry-after': '1' }));
    const { muster, received } = client(...refusals);
    expect(await failureOf(muster.me())).toMatchObject({ code: 'vault_unavailable', retryAfterSeconds: 1 });
    expect(received).toHaveLength(5);
  });

  it('end after the fourth, with no_answer if there was none', async () => {
    const { muster } = client(...Array.from({ length: 5 }, networkError));
    const error = await failureOf(muster.me());
    expect(error).toMatchObject({ code: 'no_answer', status: undefined });
    expect(error.cause).toBeInstanceOf(TypeError);
  });

  it('repeat if the connection breaks in the middle of an answer', async () => {
    const broken = new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"role":'));
        controller.error(networkError());
      },
    });
    const { muster } = client(
      new Response(broken, { headers: { 'content-type': 'application/json' } }),
      jsonAnswer({ role: 'owner' }),
    );
    expect(await muster.me()).toEqual({ role: 'owner' });
  });

  it.each([400, 401, 403, 404, 409, 412, 413, 422, 500])('do not repeat after %i', async (status) => {
    const { muster, received } = client(problemAnswer(status, 'some_code'));
    expect(await failureOf(muster.me())).toMatchObject({ status, code: 'some_code' });
    expect(received).toHaveLength(1);
  });

  it('can be changed, and switched off', async () => {
    const slow = clientThatRetries({ max: 2, baseMs: 10, maxMs: 15 }, networkError(), networkError(), jsonAnswer({}));
    await slow.muster.me();
    expect(slow.received.map(({ afterMs }) => afterMs)).toEqual([0, 10, 25]);
    const never = clientThatRetries({ max: 0 }, networkError());
    expect(await failureOf(never.muster.me())).toMatchObject({ code: 'no_answer' });
  });

  it('work for raw requests too', async () => {
    const { muster } = client(networkError(), jsonAnswer({ role: 'owner' }));
    expect((await muster.raw.GET('/v1/me')).data).toEqual({ role: 'owner' });
  });
});

describe('the Idempotency-Key', () => {
  const keysOf = (received: { headers: Headers }[]) => received.map(({ headers }) => headers.get('idempotency-key'));

  it('is the same in all attempts of a POST, with the same body, and another one in the next call', async () => {
    const { muster, received } = client(
      networkError(),
      problemAnswer(503, 'vault_unavailable'),
      jsonAnswer({ id: 'conn_1' }, 201),
      jsonAnswer({ id: 'conn_2' }, 201),
    );
    await muster.connections.create(registration);
    await muster.connections.create(registration);
    const [first, second, third, other] = keysOf(received);
    expect(first).toMatch(/^[\x21-\x7e]{1,255}$/);
    expect([second, third]).toEqual([first, first]);
    expect(other).not.toBe(first);
    expect(new Set(received.map(({ text }) => text))).toEqual(new Set([JSON.stringify(registration)]));
  });

  it('can be the caller’s own', async () => {
    const { muster, received } = client(jsonAnswer({ id: 'conn_1' }, 201));
    await muster.connections.create(registration, { idempotencyKey: 'order-66' });
    expect(keysOf(received)).toEqual(['order-66']);
  });

  it('is not sent with other methods', async () => {
    const { muster, received } = client(jsonAnswer({}), jsonAnswer({}), new Response(null, { status: 204 }));
    await muster.me();
    await muster.connections.update('conn_1', { name: 'New' });
    await muster.connections.remove('conn_1');
    expect(keysOf(received)).toEqual([null, null, null]);
  });

  it('waits for a first attempt that is still running', async () => {
    const { muster, received } = client(
      networkError(),
      problemAnswer(409, 'idempotency_in_progress', { 'retry-after': '2' }),
      jsonAnswer({ verdict: 'passed' }),
    );
    expect(await muster.connections.test('conn_1')).toEqual({ verdict: 'passed' });
    expect(new Set(keysOf(received)).size).toBe(1);
  });
});

describe('what the API shows once', () => {
  it('is made again if the first answer was lost: the key that nobody has seen is revoked', async () => {
    const { muster, received } = client(
      networkError(),
      jsonAnswer({ id: 'key_lost' }, 201, { 'idempotency-replayed': 'true' }),
      new Response(null, { status: 204 }),
      jsonAnswer({ id: 'key_2', key: 'mk_2' }, 201),
    );
    expect(await muster.apiKeys.create('cust_1', { name: 'ci', role: 'member' })).toEqual({ id: 'key_2', key: 'mk_2' });
    const path = '/v1/customers/cust_1/api-keys';
    expect(received.map((one) => `${one.method} ${one.path}`)).toEqual([
      `POST ${path}`,
      `POST ${path}`,
      `DELETE ${path}/key_lost`,
      `POST ${path}`,
    ]);
    expect(received[3]?.headers.get('idempotency-key')).not.toBe(received[1]?.headers.get('idempotency-key'));
  });

  it('is the successor of the lost key if the first answer to a rotation was lost', async () => {
    const { muster, received } = client(
      networkError(),
      jsonAnswer({ id: 'key_lost' }, 201, { 'idempotency-replayed': 'true' }),
      jsonAnswer({ id: 'key_3', key: 'mk_3' }, 201),
    );
    expect(await muster.apiKeys.rotate('cust_1', 'key_1', { overlapSeconds: 60 })).toEqual({
      id: 'key_3',
      key: 'mk_3',
    });
    expect(received.map(({ path, text }) => [path.split('/').at(-2), text])).toEqual([
      ['key_1', '{"overlapSeconds":60}'],
      ['key_1', '{"overlapSeconds":60}'],
      ['key_lost', '{"overlapSeconds":0}'],
    ]);
  });

  it('is a new link if the first answer was lost', async () => {
    const { muster } = client(
      jsonAnswer({ expiresAt: '2026-06-02T00:00:00Z' }, 201),
      jsonAnswer({ expiresAt: '2026-06-02T00:00:00Z', url: 'https://login.test' }, 201),
    );
    expect(await muster.connections.consent('conn_1')).toMatchObject({ url: 'https://login.test' });
  });

  it('is not made again for a key of the caller’s own, whose first answer may have arrived', async () => {
    const { muster, received } = client(jsonAnswer({ id: 'key_1' }, 201));
    const call = muster.apiKeys.create('cust_1', { name: 'ci', role: 'member' }, { idempotencyKey: 'mine' });
    expect(await failureOf(call)).toMatchObject({ code: 'already_shown' });
    expect(received).toHaveLength(1);
  });
});

describe('lists', () => {
  it('read page after page, with the same filter', async () => {
    const { muster, received } = client(
      jsonAnswer({ items: [{ line: 2 }, { line: 3 }], nextCursor: 'a/b' }),
      jsonAnswer({ items: [], nextCursor: 'c' }),
      jsonAnswer({ items: [{ line: 9 }] }),
    );
    const lines: number[] = [];
    for await (const { line } of muster.imports.rows('imp_1', { state: 'failed', pageSize: 2 })) lines.push(line);
    expect(lines).toEqual([2, 3, 9]);
    const queries = received.map(({ path }) => Object.fromEntries(new URLSearchParams(path.split('?')[1])));
    expect(queries).toEqual([
      { state: 'failed', limit: '2' },
      { state: 'failed', limit: '2', cursor: 'a/b' },
      { state: 'failed', limit: '2', cursor: 'c' },
    ]);
  });

  it('ask for nothing more when the caller stops', async () => {
    const { muster, received } = client(jsonAnswer({ items: [{ id: 'conn_1' }, { id: 'conn_2' }], nextCursor: 'a' }));
    for await (const { id } of muster.connections.list()) {
      expect(id).toBe('conn_1');
      break;
    }
    expect(received).toHaveLength(1);
  });

  it('reject in the loop if a page is refused', async () => {
    const { muster } = client(
      jsonAnswer({ items: [{ id: 'cust_1' }], nextCursor: 'a' }),
      problemAnswer(400, 'validation_failed'),
    );
    expect(await failureOf(Array.fromAsync(muster.customers.list()))).toMatchObject({ code: 'validation_failed' });
  });
});

describe('uploads', () => {
  const csv = 'email\njane@contoso.com\n';

  it.each([
    ['text', csv],
    ['bytes', new TextEncoder().encode(csv)],
    ['a file', new Blob([csv], { type: 'text/plain' })],
  ])('send %s as CSV, in full in each attempt', async (_name, upload) => {
    const { muster, received } = client(networkError(), jsonAnswer({ id: 'imp_1' }, 202));
    expect(await muster.imports.start('conn_1', upload)).toEqual({ id: 'imp_1' });
    expect(received.map(({ text }) => text)).toEqual([csv, csv]);
    expect(received.map(({ headers }) => headers.get('content-type'))).toEqual(['text/csv', 'text/csv']);
  });

  it('send a stream once', async () => {
    const { muster, received } = client(problemAnswer(503, 'storage_unavailable'));
    const call = muster.imports.start('conn_1', new Blob([csv]).stream(), { idempotencyKey: 'mine' });
    expect(await failureOf(call)).toMatchObject({ code: 'storage_unavailable' });
    expect(received).toMatchObject([{ text: csv }]);
    expect(received[0]?.headers.get('idempotency-key')).toBe('mine');
  });

  it('send a list of mailboxes as JSON, and a dry run with its query', async () => {
    const { muster, received } = client(jsonAnswer({ rows: 1 }));
    const preview = await muster.imports.start('conn_1', [{ address: 'jane@contoso.com' }], { dryRun: true });
    expect(preview.rows).toBe(1);
    expect(received).toMatchObject([
      { path: '/v1/connections/conn_1/imports?dryRun=true', text: '{"mailboxes":[{"address":"jane@contoso.com"}]}' },
    ]);
  });
});

describe('waitForImport', () => {
  const running = (percent: number, headers: Record<string, string> = {}) =>
    jsonAnswer({ id: 'imp_1', status: 'running', percent }, 200, headers);
  const ended = (status = 'completed') => jsonAnswer({ id: 'imp_1', status, percent: 100 });
  const unchanged = (headers: Record<string, string> = {}) => new Response(null, { status: 304, headers });

  it('asks as often as Retry-After says, and reports every change', async () => {
    const { muster, received } = client(
      running(1, { 'retry-after': '3' }),
      running(50, { 'retry-after': '5' }),
      ended(),
    );
    const percents: number[] = [];
    const result = await muster.waitForImport('imp_1', { onProgress: ({ percent }) => percents.push(percent) });
    expect(result.status).toBe('completed');
    expect(percents).toEqual([1, 50, 100]);
    expect(received.map(({ afterMs }) => afterMs)).toEqual([0, 3_000, 8_000]);
  });

  it('sends the ETag, and reports nothing for a 304', async () => {
    const { muster, received } = client(
      running(1, { etag: '"one"', 'retry-after': '4' }),
      unchanged(),
      unchanged({ 'retry-after': '1' }),
      ended(),
    );
    const onProgress = vi.fn();
    await muster.waitForImport('imp_1', { onProgress });
    expect(received.map(({ headers }) => headers.get('if-none-match'))).toEqual([null, '"one"', '"one"', '"one"']);
    expect(received.map(({ afterMs }) => afterMs)).toEqual([0, 4_000, 8_000, 9_000]);
    expect(onProgress).toHaveBeenCalledTimes(2);
  });

  it.each(['completed', 'cancelled', 'failed', 'paused'])('resolves when the import is %s', async (status) => {
    const { muster } = client(running(1), ended(status));
    expect(await muster.waitForImport('imp_1')).toMatchObject({ status });
  });

  it('can ask more often', async () => {
    const { muster, received } = client(running(1, { 'retry-after': '5' }), ended());
    await muster.waitForImport('imp_1', { pollMs: 100 });
    expect(received.map(({ afterMs }) => afterMs)).toEqual([0, 100]);
  });

  it('gives up after timeoutMs', async () => {
    vi.useRealTimers();
    const { muster } = client(...Array.from({ length: 100 }, () => running(7)));
    const error = await failureOf(muster.waitForImport('imp_1', { pollMs: 10, timeoutMs: 60 }));
    expect(error).toMatchObject({ code: 'wait_timeout' });
    expect(error.message).toContain('running (7 %)');
  });

  it('rejects if the import does not exist', async () => {
    const { muster } = client(problemAnswer(404, 'not_found'));
    expect(await failureOf(muster.waitForImport('imp_x'))).toMatchObject({ code: 'not_found' });
  });
});

describe('an abort', () => {
  const reason = new Error('the user left');

  it('before the call sends nothing', async () => {
    const { muster, received } = client();
    await expect(muster.me({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(received).toEqual([]);
  });

  it.each([0, 4])('during a request ends it, with %i retries left', async (max) => {
    const controller = new AbortController();
    const { muster, received } = clientThatRetries({ max }, (request) => {
      controller.abort(reason);
      throw request.signal.reason;
    });
    await expect(muster.me({ signal: controller.signal })).rejects.toBe(reason);
    expect(received).toHaveLength(1);
  });

  it('ends the wait before a retry', async () => {
    vi.useRealTimers();
    const controller = new AbortController();
    const { muster, received } = client(problemAnswer(503, 'storage_unavailable', { 'retry-after': '50' }));
    const call = muster.me({ signal: controller.signal });
    setTimeout(() => controller.abort(reason), 20);
    await expect(call).rejects.toBe(reason);
    expect(received).toHaveLength(1);
  });

  it('ends waitForImport, also one with a timeout', async () => {
    vi.useRealTimers();
    const controller = new AbortController();
    const { muster } = client(jsonAnswer({ status: 'running', percent: 0 }, 200, { 'retry-after': '50' }));
    const wait = muster.waitForImport('imp_1', { signal: controller.signal, timeoutMs: 30_000 });
    setTimeout(() => controller.abort(reason), 20);
    await expect(wait).rejects.toBe(reason);
  });
});

describe('a MusterError', () => {
  it('has what the problem says', async () => {
    const errors = [{ path: 'tenant', message: 'Give a domain or an ID.' }];
    const more = { detail: 'Two fields are wrong.', errors, free: 3 };
    const { muster } = client(problemAnswer(400, 'validation_failed', {}, more));
    const error = await failureOf(muster.connections.create(registration));
    expect(error).toMatchObject({
      name: 'MusterError',
      message: 'Two fields are wrong. (400, validation_failed, request req-1)',
      code: 'validation_failed',
      status: 400,
      detail: 'Two fields are wrong.',
      errors,
      requestId: 'req-1',
      retryAfterSeconds: undefined,
      problem: { free: 3 },
    });
  });

  it('has a code also if the server failed, or something else answered', async () => {
    const { muster } = client(
      problemAnswer(500, undefined),
      new Response('<h1>Not here</h1>', { status: 404 }),
      new Response('<h1>Welcome</h1>', { status: 200, headers: { 'content-type': 'text/html' } }),
    );
    expect(await failureOf(muster.me())).toMatchObject({ code: 'server_error', requestId: 'req-1' });
    expect(await failureOf(muster.me())).toMatchObject({ code: 'unexpected_answer', status: 404 });
    expect(await failureOf(muster.me())).toMatchObject({ code: 'unexpected_answer' });
  });
});

it('is not made without a key, as when an environment variable is missing', () => {
  // JavaScript lets it be undefined.
  const options = JSON.parse('{"url":"https://muster.test"}') as MusterOptions;
  expect(() => createMuster(options)).toThrow(TypeError);
});

describe('secrets', () => {
  const textsOf = (value: unknown) => [inspect(value, { depth: 20, showHidden: true }), String(value)];

  it('are in no error and not in the printed client', async () => {
    const { muster } = client(
      problemAnswer(422, 'credentials_rejected', {}, { detail: 'Microsoft refuses the secret.' }),
      ...Array.from({ length: 5 }, networkError),
    );
    const errors = [
      await failureOf(muster.connections.create(registration)),
      await failureOf(muster.connections.create(registration)),
    ];
    const texts = [muster, muster.connections, ...errors].flatMap(textsOf);
    texts.push(...errors.flatMap((error) => [error.stack ?? '', JSON.stringify(error)]), JSON.stringify(muster));
    expect(texts.filter((text) => text.includes(KEY) || text.includes(CLIENT_SECRET))).toEqual([]);
  });

  it.each([
    ['key', { url: 'https://muster.test', key: `${KEY}\n` }],
    ['key', { url: 'https://muster.test', key: '' }],
    ['customer', { url: 'https://muster.test', key: KEY, customer: `${KEY} ` }],
    ['url', { url: `https://user:${KEY}@muster.test`, key: KEY }],
    ['url', { url: `https://${KEY}@muster.test`, key: KEY }],
    ['url', { url: `muster.test/${KEY}`, key: KEY }],
    ['url', { url: `ftp://muster.test/${KEY}`, key: KEY }],
  ])('are not quoted when the option %s is refused', (name, options) => {
    const refusal = (() => {
      try {
        createMuster(options);
        return undefined;
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(TypeError);
    expect(String(refusal)).toContain(`\`${name}\``);
    expect(textsOf(refusal).filter((text) => text.includes(KEY))).toEqual([]);
  });
});

describe('reports', () => {
  const row = { line: 2, address: 'jané@contoso.com', state: 'passed', verdicts: {} };
  const bytes = Buffer.from(`${JSON.stringify(row)}\n${JSON.stringify({ ...row, line: 3 })}\n`);
  /** A body that arrives in two pieces, cut within a character, and may break after that. */
  const inPieces = (text: Uint8Array, isBroken = false) =>
    ReadableStream.from(
      (async function* () {
        const middle = bytes.indexOf(0xc3) + 1;
        yield text.subarray(0, middle);
        yield text.subarray(middle);
        if (isBroken) throw networkError();
      })(),
    );
  const answer = (body: ReadableStream, type: string) => new Response(body, { headers: { 'content-type': type } });

  it('are read row by row, as they arrive', async () => {
    const { muster, received } = client(answer(inPieces(bytes), 'application/x-ndjson'));
    expect(await Array.fromAsync(muster.imports.report('imp_1'))).toEqual([row, { ...row, line: 3 }]);
    expect(received[0]?.path).toBe('/v1/imports/imp_1/report.json');
  });

  it('reject if they break midway: part of a report is not a report', async () => {
    const { muster } = client(answer(inPieces(bytes, true), 'application/x-ndjson'));
    const seen: unknown[] = [];
    const reading = (async () => {
      for await (const one of muster.imports.report('imp_1')) seen.push(one);
    })();
    expect(await failureOf(reading)).toMatchObject({ code: 'no_answer' });
    const { muster: other } = client(answer(inPieces(bytes.subarray(0, -5)), 'application/x-ndjson'));
    expect(await failureOf(Array.fromAsync(other.imports.report('imp_1')))).toMatchObject({ code: 'no_answer' });
  });

  it('come as streams of CSV, with the options as query', async () => {
    const { muster, received } = client(
      answer(inPieces(bytes), 'text/csv; charset=utf-8'),
      answer(inPieces(bytes), 'text/csv; charset=utf-8'),
    );
    expect(await new Response(await muster.imports.reportCsv('imp_1')).bytes()).toEqual(new Uint8Array(bytes));
    await muster.imports.failedCsv('imp_1', { delimiter: 'semicolon', cancelled: true });
    expect(received.map(({ path }) => path)).toEqual([
      '/v1/imports/imp_1/report.csv',
      '/v1/imports/imp_1/failed.csv?delimiter=semicolon&cancelled=true',
    ]);
  });

  it('are refused like everything else', async () => {
    const { muster } = client(problemAnswer(410, 'gone'), problemAnswer(410, 'gone'));
    expect(await failureOf(muster.imports.reportCsv('imp_1'))).toMatchObject({ code: 'gone', status: 410 });
    expect(await failureOf(Array.fromAsync(muster.imports.report('imp_1')))).toMatchObject({ code: 'gone' });
  });
});

describe('expiry alerts', () => {
  const settings = { daysBefore: [30], lifetimeLeft: [], contacts: ['admin@contoso.com'] };

  it('are read and replaced, and come from the mail server unless a mailbox is named', async () => {
    const { muster, received } = client(jsonAnswer({ ...settings, sendFrom: null }));
    expect(await muster.expiryAlerts.update(settings)).toMatchObject(settings);
    expect(received[0]).toMatchObject({ method: 'PUT', path: '/v1/expiry-alerts' });
    expect(JSON.parse(received[0]?.text ?? '')).toEqual({ ...settings, sendFrom: null });
  });

  it('list their e-mails, send a test and send one again', async () => {
    const email = { id: 'evt_1', status: 'failed' };
    const { muster, received } = client(
      jsonAnswer({ items: [email] }),
      jsonAnswer(email),
      jsonAnswer(email),
      jsonAnswer(email),
    );
    expect(await Array.fromAsync(muster.expiryAlerts.emails({ status: 'failed' }))).toEqual([email]);
    await muster.expiryAlerts.email('evt_1');
    await muster.expiryAlerts.sendTestEmail();
    await muster.expiryAlerts.resendEmail('evt_1');
    expect(received.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /v1/expiry-alerts/emails?status=failed',
      'GET /v1/expiry-alerts/emails/evt_1',
      'POST /v1/expiry-alerts/emails',
      'POST /v1/expiry-alerts/emails/evt_1/resend',
    ]);
  });

  it('come as a calendar too', async () => {
    const { muster, received } = client(
      new Response('BEGIN:VCALENDAR', { headers: { 'content-type': 'text/calendar' } }),
    );
    expect(await muster.expiringSecretsCalendar({ withinDays: 90 })).toBe('BEGIN:VCALENDAR');
    expect(received[0]?.path).toBe('/v1/expiring-secrets?format=ics&withinDays=90');
  });
});
