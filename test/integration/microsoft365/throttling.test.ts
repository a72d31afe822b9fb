import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CallWindow } from '../../../local/microsoft365/call-window.ts';
import type { ScenarioTenantInput } from '../../../local/microsoft365/scenario.ts';
import { readRetryAfter } from '../../../shared/adapters/retry-after.ts';
import {
  at,
  openSimulator,
  type SimulatorClient,
  wingtip,
  wingtipApp,
  wingtipTenant,
} from '../../support/simulator-client.ts';

const other = { ...wingtipApp(), clientId: 'b2e5a8d3-7c4f-4a69-8d1e-8f309c6b5d72' };
const jane = at('jane');

let client: SimulatorClient;
beforeAll(async () => {
  client = await openSimulator({ tenants: [wingtipTenant()] });
});
afterAll(() => client.close());

const given = (more: Partial<ScenarioTenantInput> = {}) =>
  client.put(
    wingtipTenant({
      apps: [wingtipApp(), other],
      mailboxes: [{ address: jane }, { generate: 20, address: at('user{n}') }],
      ...more,
    }),
  );
beforeEach(() => given());

const read = (user = jane, token?: string) =>
  client.graph('GET', `/users/${user}/mailFolders/inbox`, token === undefined ? {} : { token });
const many = <T>(count: number, call: (n: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, n) => call(n)));
const throttledOf = (told: { status: number }[]) => told.filter(({ status }) => status === 429);

describe('calls at once on one mailbox', () => {
  let usual: SimulatorClient;
  // Long enough that calls overlap on any machine.
  beforeAll(async () => {
    usual = client;
    client = await openSimulator({ latencyMs: 400, tenants: [wingtipTenant()] });
  });
  afterAll(async () => {
    await client.close();
    client = usual;
  });

  it('are four for an app; the fifth is refused', async () => {
    await client.token();
    const told = await many(6, () => read());
    const refused = throttledOf(told) as typeof told;
    expect(refused).toHaveLength(2);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect(refused[0]?.body).toEqual({
      error: { code: 'ApplicationThrottled', message: 'Application is over its MailboxConcurrency limit.' },
    });
    expect((await read()).status).toBe(200);
  });

  it('are counted for each mailbox, and for each app', async () => {
    const second = await client.token(undefined, other.clientId);
    const told = await many(12, (n) => (n < 4 ? read() : n < 8 ? read(at('user1')) : read(jane, second)));
    expect(throttledOf(told)).toEqual([]);
  });

  it('are as many as the scenario says', async () => {
    given({ throttle: { perMailboxConcurrent: 1, retryAfterSeconds: 3 } });
    const told = await many(3, () => read());
    expect(throttledOf(told)).toHaveLength(2);
    expect(told.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('3');
  });
});

describe('calls of an app in a tenant', () => {
  it('are refused beyond the limit, with Graph’s own throttling error', async () => {
    given({ throttle: { perAppPerTenantPer10s: 3, retryAfterSeconds: 2.128 } });
    const told = await many(5, (n) => read(at(`user${n + 1}`)));
    expect(throttledOf(told)).toHaveLength(2);
    const refused = told.find(({ status }) => status === 429);
    expect(refused?.headers.get('content-type')).toBe('application/json');
    expect(refused?.headers.get('retry-after')).toBe('2.128');
    expect(refused?.body.error).toEqual({
      code: 'TooManyRequests',
      message: 'Please retry again later.',
      innerError: {
        code: '429',
        date: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
        message: 'Please retry after',
        'request-id': refused?.headers.get('request-id'),
        status: '429',
      },
    });
    expect((await read(jane, await client.token(undefined, other.clientId))).status).toBe(200);
  });

  it('count even when they are refused, for ten seconds', () => {
    const window = new CallWindow();
    const start = 1_750_000_000_000;
    expect([0, 50, 120, 9_800].map((ms) => window.add(start + ms))).toEqual([1, 2, 3, 4]);
    expect(window.add(start + 10_150)).toBe(2);
    expect(window.add(start + 60_000)).toBe(1);
  });

  it.each([
    ['seconds', {}, 10],
    ['seconds with a fraction', { retryAfterSeconds: 2.128 }, 3],
    ['a date', { retryAfterForm: 'date' as const }, 10],
    ['twice', { retryAfterForm: 'doubled' as const }, 10],
    ['nothing', { omitRetryAfter: true }, undefined],
  ])('are told when to come back: %s', async (_, form, seconds) => {
    given({ throttle: { perAppPerTenantPer10s: 0, ...form } });
    const { headers } = await read();
    const understood = readRetryAfter(headers.get('retry-after'), new Date());
    if (seconds === undefined) expect(headers.get('retry-after')).toBeNull();
    // A date has whole seconds only.
    else expect([seconds - 1, seconds]).toContain(understood);
  });

  it('hear from the directory what they cost, how near the limit is, and which limit it was', async () => {
    given({ throttle: { perAppPerTenantPer10s: 5 } });
    const list = (query: string) => client.graph('GET', `/users${query}`);
    const costs = ['', '?$select=id', '?$top=5', '?$top=999'].map(list);
    expect((await Promise.all(costs)).map(({ headers }) => headers.get('x-ms-resource-unit'))).toEqual([
      '2',
      '1',
      '1',
      '2',
    ]);
    const near = await list('');
    expect(near.headers.get('x-ms-throttle-limit-percentage')).toBe('1.00');
    const over = await list('');
    expect(over.status).toBe(429);
    expect(over.headers.get('x-ms-throttle-scope')).toBe(
      `Tenant_Application/ReadWrite/${wingtip.clientId}/${wingtip.id}`,
    );
    expect(over.headers.get('x-ms-throttle-information')).toBe('ResourceUnitLimitExceeded');
    // Outlook tells none of it.
    const mail = await read();
    expect([...mail.headers.keys()].filter((name) => name.startsWith('x-ms-throttle'))).toEqual([]);
  });
});

describe('a share of calls that goes wrong', () => {
  const outcome = async () => {
    try {
      const { status, headers, text } = await read();
      return status === 200 && !text.endsWith('}') ? 'garbage' : `${status}${headers.has('retry-after') ? '+' : ''}`;
    } catch {
      return 'lost';
    }
  };
  const outcomes = async (count: number) => {
    const all: string[] = [];
    for (let n = 0; n < count; n += 1) all.push(await outcome());
    return all;
  };

  it('is the same for the same seed', async () => {
    const faultRates = { throttled: 0.2, unavailable: 0.2, dropped: 0.1, garbage: 0.1, seed: 7 };
    given({ faultRates });
    const first = await outcomes(30);
    given({ faultRates });
    expect(await outcomes(30)).toEqual(first);
    given({ faultRates: { ...faultRates, seed: 8 } });
    expect(await outcomes(30)).not.toEqual(first);
  });

  it('comes in every form', async () => {
    given({ faultRates: { throttled: 0.25, unavailable: 0.35, dropped: 0.1, garbage: 0.15 } });
    const all = await outcomes(120);
    expect([...new Set(all)].sort()).toEqual(
      ['200', '429', '429+', '500', '502', '503', '504', 'garbage', 'lost'].sort(),
    );
  });

  it('loses answers before anything was done, and after', async () => {
    given({ faultRates: { dropped: 0.5 } });
    const made: boolean[] = [];
    for (let n = 0; n < 24; n += 1) {
      const subject = `lost ${n}`;
      const isLost = await client.graph('POST', `/users/${at('user2')}/messages`, { body: { subject } }).then(
        () => false,
        () => true,
      );
      const drafts = client.simulator.world.mail.peek(wingtip.id, at('user2'))?.in('drafts') ?? [];
      if (isLost) made.push(drafts.some((message) => message.subject === subject));
    }
    expect(new Set(made)).toEqual(new Set([true, false]));
  });
});
