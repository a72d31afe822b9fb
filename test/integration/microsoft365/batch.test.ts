import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ScenarioTenantInput } from '../../../local/microsoft365/scenario.ts';
import { type ErrorBody, type HttpResult, startSimulatedTenant } from '../../support/simulator-client.ts';
import { at, wingtipTenant } from '../../support/wingtip.ts';

interface Part {
  id: string;
  method?: string;
  url?: string;
  headers?: Record<string, string>;
  body?: unknown;
  dependsOn?: string[];
}

interface PartResponse {
  id: string;
  status: number;
  headers: Record<string, string>;
  body: (ErrorBody & Record<string, unknown>) | null;
}

interface BatchBody extends ErrorBody {
  responses: PartResponse[];
}

const jane = at('jane');
const inbox = (user = jane) => `/users/${user}/mailFolders/inbox?$select=id`;
const jsonHeaders = { 'Content-Type': 'application/json' };
const draft = (id: string, more: Partial<Part> = {}): Part => ({
  id,
  method: 'POST',
  url: `/users/${jane}/messages`,
  headers: jsonHeaders,
  body: { subject: `x${id}` },
  ...more,
});

const client = await startSimulatedTenant({ latencyMs: 2, tenants: [wingtipTenant()] });

const putTenant = (more: Partial<ScenarioTenantInput> = {}) =>
  client.put(wingtipTenant({ mailboxes: [{ address: jane }, { generate: 40, address: at('user{n}') }], ...more }));
beforeEach(() => putTenant());

const sendBatch = (requests: Partial<Part>[]): Promise<HttpResult<BatchBody>> =>
  client.graph<BatchBody>('POST', '/$batch', {
    body: { requests: requests.map((part) => ({ method: 'GET', url: inbox(), ...part })) },
  });
const byId = ({ body }: HttpResult<BatchBody>) => new Map(body.responses.map((part) => [part.id, part]));
const statuses = ({ body }: HttpResult<BatchBody>) =>
  Object.fromEntries(body.responses.map(({ id, status }) => [id, status]));
/** One part for each of the simulated users `user1`, `user2`, … */
const numbered = (count: number, url = (n: number) => inbox(at(`user${n}`))): Part[] =>
  Array.from({ length: count }, (_, n) => ({ id: String(n + 1), url: url(n + 1) }));

it('returns one response per part, and not in the order of the requests', async () => {
  const result = await sendBatch(numbered(20));
  expect(result.status).toBe(200);
  const ids = result.body.responses.map(({ id }) => id);
  expect([...ids].sort((a, b) => Number(a) - Number(b))).toEqual(numbered(20).map(({ id }) => id));
  expect(ids).not.toEqual(numbered(20).map(({ id }) => id));
});

it('gives each part its own headers, and a null body to a part without one', async () => {
  const parts = byId(await sendBatch([draft('1'), { id: '2' }, { id: '3', url: inbox(at('nobody')) }]));
  expect(new Set([...parts.values()].map(({ headers }) => headers['request-id'])).size).toBe(3);
  expect(parts.get('1')).toMatchObject({ status: 201, body: { isDraft: true } });
  expect(parts.get('3')).toMatchObject({ status: 404, body: { error: { code: 'ErrorInvalidUser' } } });
  const id = parts.get('1')?.body?.id;
  const url = `/users/${jane}/messages/${id}/permanentDelete`;
  const removed = await sendBatch([{ id: 'r', method: 'POST', url, headers: jsonHeaders, body: {} }]);
  expect(removed.body.responses).toMatchObject([{ id: 'r', status: 204, body: null }]);
});

it('can mix directory and mailbox calls', async () => {
  const result = await sendBatch([{ id: 'owner', url: `/users/${jane}?$select=id` }, { id: 'inbox' }]);
  expect(statuses(result)).toEqual({ owner: 200, inbox: 200 });
});

describe('refuses the whole batch and runs no part of it:', () => {
  const { id: _id, ...draftWithoutId } = draft('1');
  const refusals: [string, Partial<Part>[], RegExp][] = [
    ['more than 20 parts', numbered(21), /exceeds the maximum value of 20/],
    ['two parts with the same id', [draft('1'), { id: '1' }], /^Request Id 1 has to be unique in a batch\.$/],
    ['ids that differ only in case', [draft('a'), { id: 'A' }], /^Request Id A has to be unique in a batch\.$/],
    [
      'ids that differ only in case, in reverse order',
      [draft('B'), { id: 'b' }],
      /^Request Id b has to be unique in a batch\.$/,
    ],
    [
      'a body without a content type',
      [draft('1'), draft('2', { headers: {} })],
      /^Write request id : 2 does not contain Content-Type header or body\.$/,
    ],
    ['a part that depends on an unknown one', [draft('1'), { id: '2', dependsOn: ['3'] }], /depends on 3/],
    ['a part that depends on itself', [draft('1', { dependsOn: ['1'] })], /depends on 1/],
    ['a part without an id', [draftWithoutId], /Invalid batch payload/],
  ];
  it.each(refusals)('%s', async (_, parts, message) => {
    const result = await sendBatch(parts);
    expect([result.status, result.body.error?.code]).toEqual([400, 'BadRequest']);
    expect(result.body.error?.message).toMatch(message);
    expect(result.body.error?.innerError?.['request-id']).toBe(result.headers.get('request-id'));
    expect(
      client.simulator.world.mail
        .peek(wingtipTenant().id, jane)
        ?.in('drafts')
        .some(({ subject }) => subject === 'x1') ?? false,
    ).toBe(false);
  });

  it.each([
    ['no body', undefined, 'Empty Payload. JSON content expected.'],
    ['broken JSON', '{', 'Invalid batch payload format.'],
    ['no list of requests', '{}', 'Invalid batch payload format.'],
  ])('%s', async (_, body, message) => {
    const result = await client.graph('POST', '/$batch', body === undefined ? {} : { body });
    expect([result.status, result.body.error?.message]).toEqual([400, message]);
  });

  it('an invalid token', async () => {
    const result = await client.graph('POST', '/$batch', { token: 'abc', body: { requests: numbered(2) } });
    expect([result.status, result.body.error?.code]).toEqual([401, 'InvalidAuthenticationToken']);
  });
});

it('refuses a write without a body or content type, unless the scenario allows it', async () => {
  const withoutBody: Part = {
    id: '1',
    method: 'POST',
    url: `/users/${jane}/messages/${'A'.repeat(40)}/permanentDelete`,
  };
  const complete: Part = { ...withoutBody, headers: jsonHeaders, body: {} };
  const incomplete = [withoutBody, { ...complete, headers: {} }, { ...withoutBody, headers: jsonHeaders }];
  for (const part of incomplete) expect((await sendBatch([part, { id: '2' }])).status).toBe(400);
  expect(statuses(await sendBatch([complete, { id: '2' }]))).toEqual({ 1: 404, 2: 200 });
  expect(
    statuses(
      await sendBatch([
        { ...withoutBody, method: 'DELETE', url: withoutBody.url?.replace('/permanentDelete', '') ?? '' },
      ]),
    ),
  ).toEqual({ 1: 404 });
  putTenant({ refusesBodilessParts: false });
  expect(statuses(await sendBatch([withoutBody]))).toEqual({ 1: 404 });
});

describe('dependsOn', () => {
  it('runs a part after the one it depends on', async () => {
    const result = await sendBatch([
      { id: 'look', url: `/users/${jane}/messages?$filter=subject eq 'xmake'`, dependsOn: ['make'] },
      draft('make'),
    ]);
    expect(byId(result).get('look')?.body?.value).toHaveLength(1);
  });

  it('gives 424 to every part that depends on a failed one, and does not run it', async () => {
    const result = await sendBatch([
      { id: '1', url: inbox(at('nobody')) },
      draft('2', { dependsOn: ['1'], body: { subject: 'undone' } }),
      { id: '3', dependsOn: ['2'] },
      { id: '4' },
    ]);
    expect(result.status).toBe(200);
    expect(statuses(result)).toEqual({ 1: 404, 2: 424, 3: 424, 4: 200 });
    const drafts = client.simulator.world.mail.peek(wingtipTenant().id, jane)?.in('drafts') ?? [];
    expect(drafts.map(({ subject }) => subject)).not.toContain('undone');
  });

  it('gives 424 to parts that depend on each other', async () => {
    const result = await sendBatch([{ id: '1', dependsOn: ['2'] }, { id: '2', dependsOn: ['1'] }, { id: '3' }]);
    expect(statuses(result)).toEqual({ 1: 424, 2: 424, 3: 200 });
  });
});

describe('throttling in a batch', () => {
  it('does not occur for 20 parts on one mailbox, because only four run at a time', async () => {
    expect(Object.values(statuses(await sendBatch(numbered(20, () => inbox()))))).toEqual(Array(20).fill(200));
  });

  it('concerns only parts that Exchange answers: a question to the directory waits for none of them', async () => {
    const directory = { id: 'directory', url: "/users?$filter=userType eq 'Member'&$top=1" };
    const since = new Date().toISOString();
    await sendBatch([...numbered(8, () => inbox()), directory]);
    const routes = client.simulator.world.requests.entries(since, 100).map(({ route }) => route);
    expect(routes.indexOf('/v1.0/users')).toBeGreaterThanOrEqual(0);
    expect(routes.indexOf('/v1.0/users')).toBeLessThan(8);
  });

  it('gives each throttled part its own Retry-After, while the batch is 200', async () => {
    putTenant({ throttle: { perMailboxConcurrent: 3, retryAfterSeconds: 7 } });
    const result = await sendBatch([...numbered(8, () => inbox()), { id: '9', url: inbox(at('user1')) }]);
    expect(result.status).toBe(200);
    expect(result.headers.get('retry-after')).toBeNull();
    const throttled = result.body.responses.filter(({ status }) => status === 429);
    expect(throttled.length).toBeGreaterThan(0);
    for (const { headers, body } of throttled) {
      expect(headers['Retry-After']).toBe('7');
      expect(body?.error).toEqual({
        code: 'ApplicationThrottled',
        message: 'Application is over its MailboxConcurrency limit.',
      });
    }
    expect(byId(result).get('9')?.status).toBe(200);
  });

  it('counts each part as a call', async () => {
    putTenant({ throttle: { perAppPerTenantPer10s: 5 } });
    const result = await sendBatch(numbered(8));
    expect(Object.values(statuses(result)).filter((status) => status === 429)).toHaveLength(3);
  });
});

it('counts as one HTTP request, and logs each part', async () => {
  client.simulator.world.requests.reset();
  await sendBatch(numbered(3));
  const { items } = await client.control<{ items: object[] }>('/requests');
  expect(items).toContainEqual({ service: 'graph', method: 'POST', route: '/v1.0/$batch', status: 200, count: 1 });
  const log = await client.control<{ items: { inBatch?: boolean; mailbox?: string }[] }>('/log?limit=4');
  expect(
    log.items
      .filter(({ inBatch }) => inBatch)
      .map(({ mailbox }) => mailbox)
      .sort(),
  ).toEqual([1, 2, 3].map((n) => at(`user${n}`)));
});

it('accepts any ids that differ by more than case, and returns exactly those ids', async () => {
  const ids = fc.array(fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme' }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(ids, async (names) => {
      const result = await sendBatch(names.map((id) => ({ id })));
      const isUnique = new Set(names.map((name) => name.toLowerCase())).size === names.length;
      expect(result.status).toBe(isUnique ? 200 : 400);
      if (isUnique) expect(result.body.responses.map(({ id }) => id).sort()).toEqual([...names].sort());
    }),
    { numRuns: 40 },
  );
});
