import { beforeEach, describe, expect, it } from 'vitest';
import { CallWindow } from '../../../local/microsoft365/call-window.ts';
import type { ScenarioTenantInput } from '../../../local/microsoft365/scenario.ts';
import { readRetryAfter } from '../../../shared/adapters/retry-after.ts';
import { type SimulatorClient, startSimulatedTenant } from '../../support/simulator-client.ts';
import { at, wingtip, wingtipApp, wingtipTenant } from '../../support/wingtip.ts';

const otherApp = { ...wingtipApp(), clientId: 'b2e5a8d3-7c4f-4a69-8d1e-8f309c6b5d72' };
const jane = at('jane');

const client = await startSimulatedTenant();
/** Answers slowly, so that calls overlap on any machine. */
const slowClient = await startSimulatedTenant({ latencyMs: 400, tenants: [wingtipTenant()] });

const putTenant = (more: Partial<ScenarioTenantInput> = {}, to: SimulatorClient = client) =>
  to.put(
    wingtipTenant({
      apps: [wingtipApp(), otherApp],
      mailboxes: [{ address: jane }, { generate: 20, address: at('user{n}') }],
      ...more,
    }),
  );
beforeEach(() => putTenant());

const readInbox = (user = jane, token?: string, from: SimulatorClient = client) =>
  from.graph('GET', `/users/${user}/mailFolders/inbox`, token === undefined ? {} : { token });
const repeat = <T>(count: number, call: (n: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, n) => call(n)));
const throttledOf = <T extends { status: number }>(results: T[]) => results.filter(({ status }) => status === 429);

describe('concurrent calls on one mailbox', () => {
  const readSlowly = (user = jane, token?: string) => readInbox(user, token, slowClient);
  beforeEach(() => putTenant({}, slowClient));

  it('are limited to four per app: the fifth is refused', async () => {
    await slowClient.token();
    const results = await repeat(6, () => readSlowly());
    const refused = throttledOf(results);
    expect(refused).toHaveLength(2);
    expect(refused[0]?.headers.get('retry-after')).toBe('1');
    expect(refused[0]?.body).toEqual({
      error: { code: 'ApplicationThrottled', message: 'Application is over its MailboxConcurrency limit.' },
    });
    expect((await readSlowly()).status).toBe(200);
  });

  it('are counted separately for each mailbox and each app', async () => {
    const otherToken = await slowClient.token(undefined, otherApp.clientId);
    const results = await repeat(12, (n) =>
      n < 4 ? readSlowly() : n < 8 ? readSlowly(at('user1')) : readSlowly(jane, otherToken),
    );
    expect(throttledOf(results)).toEqual([]);
  });

  it('are limited to the number in the scenario', async () => {
    putTenant({ throttle: { perMailboxConcurrent: 1, retryAfterSeconds: 3 } }, slowClient);
    const results = await repeat(3, () => readSlowly());
    expect(throttledOf(results)).toHaveLength(2);
    expect(results.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('3');
  });
});

describe('calls of an app in a tenant', () => {
  it('are refused above the limit, with Graph’s throttling error', async () => {
    putTenant({ throttle: { perAppPerTenantPer10s: 3, retryAfterSeconds: 2.128 } });
    const results = await repeat(5, (n) => readInbox(at(`user${n + 1}`)));
    expect(throttledOf(results)).toHaveLength(2);
    const refused = results.find(({ status }) => status === 429);
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
    expect((await readInbox(jane, await client.token(undefined, otherApp.clientId))).status).toBe(200);
  });

  it('count for ten seconds, even if they are refused', () => {
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
    ['seconds, twice', { retryAfterForm: 'doubled' as const }, 10],
    ['nothing', { omitRetryAfter: true }, undefined],
  ])('get a Retry-After in the form of the scenario: %s', async (_, form, seconds) => {
    putTenant({ throttle: { perAppPerTenantPer10s: 0, ...form } });
    const { headers } = await readInbox();
    const parsed = readRetryAfter(headers.get('retry-after'), new Date());
    if (seconds === undefined) expect(headers.get('retry-after')).toBeNull();
    // A date has only whole seconds.
    else expect([seconds - 1, seconds]).toContain(parsed);
  });

  it('get their cost, the share of the limit and its name from the directory only', async () => {
    putTenant({ throttle: { perAppPerTenantPer10s: 5 } });
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
    // Outlook sends none of these headers.
    const mail = await readInbox();
    expect([...mail.headers.keys()].filter((name) => name.startsWith('x-ms-throttle'))).toEqual([]);
  });
});

describe('random faults', () => {
  const outcome = async () => {
    try {
      const { status, headers, text } = await readInbox();
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

  it('are the same for the same seed', async () => {
    const faultRates = { throttled: 0.2, unavailable: 0.2, dropped: 0.1, garbage: 0.1, seed: 7 };
    putTenant({ faultRates });
    const first = await outcomes(30);
    putTenant({ faultRates });
    expect(await outcomes(30)).toEqual(first);
    putTenant({ faultRates: { ...faultRates, seed: 8 } });
    expect(await outcomes(30)).not.toEqual(first);
  });

  it('come in every form', async () => {
    putTenant({ faultRates: { throttled: 0.25, unavailable: 0.35, dropped: 0.1, garbage: 0.15 } });
    const all = await outcomes(120);
    expect([...new Set(all)].sort()).toEqual(
      ['200', '429', '429+', '500', '502', '503', '504', 'garbage', 'lost'].sort(),
    );
  });

  it('lose responses before the call is carried out, and after', async () => {
    putTenant({ faultRates: { dropped: 0.5 } });
    const wasCarriedOut: boolean[] = [];
    for (let n = 0; n < 24; n += 1) {
      const subject = `lost ${n}`;
      const isLost = await client.graph('POST', `/users/${at('user2')}/messages`, { body: { subject } }).then(
        () => false,
        () => true,
      );
      const drafts = client.simulator.world.mail.peek(wingtip.id, at('user2'))?.in('drafts') ?? [];
      if (isLost) wasCarriedOut.push(drafts.some((message) => message.subject === subject));
    }
    expect(new Set(wasCarriedOut)).toEqual(new Set([true, false]));
  });
});
