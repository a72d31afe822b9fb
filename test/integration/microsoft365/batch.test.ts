import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ScenarioTenantInput } from '../../../local/microsoft365/scenario.ts';
import {
  at,
  type ErrorBody,
  openSimulator,
  type SimulatorClient,
  type Told,
  wingtipTenant,
} from '../../support/simulator-client.ts';

interface Part {
  id: string;
  method?: string;
  url?: string;
  headers?: Record<string, string>;
  body?: unknown;
  dependsOn?: string[];
}

interface PartAnswer {
  id: string;
  status: number;
  headers: Record<string, string>;
  body: (ErrorBody & Record<string, unknown>) | null;
}

interface Batch extends ErrorBody {
  responses: PartAnswer[];
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

let client: SimulatorClient;
beforeAll(async () => {
  client = await openSimulator({ latencyMs: 2, tenants: [wingtipTenant()] });
});
afterAll(() => client.close());

const given = (more: Partial<ScenarioTenantInput> = {}) =>
  client.put(wingtipTenant({ mailboxes: [{ address: jane }, { generate: 40, address: at('user{n}') }], ...more }));
beforeEach(() => given());

const send = (requests: Part[]): Promise<Told<Batch>> =>
  client.graph<Batch>('POST', '/$batch', {
    body: { requests: requests.map((part) => ({ method: 'GET', url: inbox(), ...part })) },
  });
const byId = ({ body }: Told<Batch>) => new Map(body.responses.map((part) => [part.id, part]));
const statuses = (told: Told<Batch>) => Object.fromEntries(told.body.responses.map(({ id, status }) => [id, status]));
const numbered = (count: number, url = (n: number) => inbox(at(`user${n}`))): Part[] =>
  Array.from({ length: count }, (_, n) => ({ id: String(n + 1), url: url(n + 1) }));

it('answers every part by its id, in an order of its own', async () => {
  const told = await send(numbered(20));
  expect(told.status).toBe(200);
  const ids = told.body.responses.map(({ id }) => id);
  expect([...ids].sort((a, b) => Number(a) - Number(b))).toEqual(numbered(20).map(({ id }) => id));
  expect(ids).not.toEqual(numbered(20).map(({ id }) => id));
});

it('gives each part its own headers, and no body to what has none', async () => {
  const parts = byId(await send([draft('1'), { id: '2' }, { id: '3', url: inbox(at('nobody')) }]));
  expect(new Set([...parts.values()].map(({ headers }) => headers['request-id'])).size).toBe(3);
  expect(parts.get('1')).toMatchObject({ status: 201, body: { isDraft: true } });
  expect(parts.get('3')).toMatchObject({ status: 404, body: { error: { code: 'ErrorInvalidUser' } } });
  const id = parts.get('1')?.body?.id;
  const url = `/users/${jane}/messages/${id}/permanentDelete`;
  const removed = await send([{ id: 'r', method: 'POST', url, headers: jsonHeaders, body: {} }]);
  expect(removed.body.responses).toMatchObject([{ id: 'r', status: 204, body: null }]);
});

it('asks the directory and mailboxes in one go', async () => {
  const told = await send([{ id: 'owner', url: `/users/${jane}?$select=id` }, { id: 'inbox' }]);
  expect(statuses(told)).toEqual({ owner: 200, inbox: 200 });
});

describe('is refused as a whole, and nothing of it is done,', () => {
  const refusals: [string, Part[], RegExp][] = [
    ['with more than 20 parts', numbered(21), /exceeds the maximum value of 20/],
    ['with an id twice', [draft('1'), { id: '1' }], /^Request Id 1 has to be unique in a batch\.$/],
    ['with ids that differ in case only', [draft('a'), { id: 'A' }], /^Request Id A has to be unique in a batch\.$/],
    ['with ids that differ in case only', [draft('B'), { id: 'b' }], /^Request Id b has to be unique in a batch\.$/],
    [
      'with a body without its type',
      [draft('1'), draft('2', { headers: {} })],
      /^Write request id : 2 does not contain Content-Type header or body\.$/,
    ],
    ['with a part that waits for one that is not there', [draft('1'), { id: '2', dependsOn: ['3'] }], /depends on 3/],
    ['with a part that waits for itself', [draft('1', { dependsOn: ['1'] })], /depends on 1/],
    ['with an id that is missing', [{ ...draft('1'), id: undefined as unknown as string }], /Invalid batch payload/],
  ];
  it.each(refusals)('%s', async (_, parts, message) => {
    const told = await send(parts);
    expect([told.status, told.body.error?.code]).toEqual([400, 'BadRequest']);
    expect(told.body.error?.message).toMatch(message);
    expect(told.body.error?.innerError?.['request-id']).toBe(told.headers.get('request-id'));
    expect(
      client.simulator.world.mail
        .peek(wingtipTenant().id, jane)
        ?.in('drafts')
        .some(({ subject }) => subject === 'x1') ?? false,
    ).toBe(false);
  });

  it.each([
    ['without a body', undefined, 'Empty Payload. JSON content expected.'],
    ['with broken JSON', '{', 'Invalid batch payload format.'],
    ['without requests', '{}', 'Invalid batch payload format.'],
  ])('%s', async (_, body, message) => {
    const told = await client.graph('POST', '/$batch', body === undefined ? {} : { body });
    expect([told.status, told.body.error?.message]).toEqual([400, message]);
  });

  it('without a token that Graph accepts', async () => {
    const told = await client.graph('POST', '/$batch', { token: 'abc', body: { requests: numbered(2) } });
    expect([told.status, told.body.error?.code]).toEqual([401, 'InvalidAuthenticationToken']);
  });
});

it('refuses every batch with a write that has no body', async () => {
  const bare: Part = { id: '1', method: 'POST', url: `/users/${jane}/messages/${'A'.repeat(40)}/permanentDelete` };
  const full: Part = { ...bare, headers: jsonHeaders, body: {} };
  const strict = [bare, { ...full, headers: {} }, { ...bare, headers: jsonHeaders }];
  for (const part of strict) expect((await send([part, { id: '2' }])).status).toBe(400);
  expect(statuses(await send([full, { id: '2' }]))).toEqual({ 1: 404, 2: 200 });
  expect(
    statuses(await send([{ ...bare, method: 'DELETE', url: bare.url?.replace('/permanentDelete', '') ?? '' }])),
  ).toEqual({ 1: 404 });
  given({ refusesBodilessParts: false });
  expect(statuses(await send([bare]))).toEqual({ 1: 404 });
});

describe('dependsOn', () => {
  it('lets a part wait for another', async () => {
    const told = await send([
      { id: 'look', url: `/users/${jane}/messages?$filter=subject eq 'xmake'`, dependsOn: ['make'] },
      draft('make'),
    ]);
    expect(byId(told).get('look')?.body?.value).toHaveLength(1);
  });

  it('fails all that wait for one that failed, with 424 and undone', async () => {
    const told = await send([
      { id: '1', url: inbox(at('nobody')) },
      draft('2', { dependsOn: ['1'], body: { subject: 'undone' } }),
      { id: '3', dependsOn: ['2'] },
      { id: '4' },
    ]);
    expect(told.status).toBe(200);
    expect(statuses(told)).toEqual({ 1: 404, 2: 424, 3: 424, 4: 200 });
    const drafts = client.simulator.world.mail.peek(wingtipTenant().id, jane)?.in('drafts') ?? [];
    expect(drafts.map(({ subject }) => subject)).not.toContain('undone');
  });

  it('ends for parts that wait for one another', async () => {
    const told = await send([{ id: '1', dependsOn: ['2'] }, { id: '2', dependsOn: ['1'] }, { id: '3' }]);
    expect(statuses(told)).toEqual({ 1: 424, 2: 424, 3: 200 });
  });
});

describe('throttling within', () => {
  it('never comes from more than four parts at one mailbox at once', async () => {
    expect(Object.values(statuses(await send(numbered(20, () => inbox()))))).toEqual(Array(20).fill(200));
  });

  it('comes with a Retry-After of each part’s own, while the batch is 200', async () => {
    given({ throttle: { perMailboxConcurrent: 3, retryAfterSeconds: 7 } });
    const told = await send([...numbered(8, () => inbox()), { id: '9', url: inbox(at('user1')) }]);
    expect(told.status).toBe(200);
    expect(told.headers.get('retry-after')).toBeNull();
    const throttled = told.body.responses.filter(({ status }) => status === 429);
    expect(throttled.length).toBeGreaterThan(0);
    for (const { headers, body } of throttled) {
      expect(headers['Retry-After']).toBe('7');
      expect(body?.error).toEqual({
        code: 'ApplicationThrottled',
        message: 'Application is over its MailboxConcurrency limit.',
      });
    }
    expect(byId(told).get('9')?.status).toBe(200);
  });

  it('counts every part by itself', async () => {
    given({ throttle: { perAppPerTenantPer10s: 5 } });
    const told = await send(numbered(8));
    expect(Object.values(statuses(told)).filter((status) => status === 429)).toHaveLength(3);
  });
});

it('is one HTTP request in the counts, and its parts are in the log', async () => {
  client.simulator.world.requests.reset();
  await send(numbered(3));
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

it('takes any ids that differ by more than case, and answers with those very ids', async () => {
  const ids = fc.array(fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme' }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(ids, async (names) => {
      const told = await send(names.map((id) => ({ id })));
      const isUnique = new Set(names.map((name) => name.toLowerCase())).size === names.length;
      expect(told.status).toBe(isUnique ? 200 : 400);
      if (isUnique) expect(told.body.responses.map(({ id }) => id).sort()).toEqual([...names].sort());
    }),
    { numRuns: 40 },
  );
});
