import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createTenantRateLimiter, type TenantSignal } from '../../../../shared/imports/checking/tenant-rate-limiter.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const ok: TenantSignal = { kind: 'ok' };

function setUp(more: { processMax?: number; tenantInitial?: number; tenantMax?: number } = {}) {
  const rateLimiter = createTenantRateLimiter({
    processMax: 24,
    tenantInitial: 4,
    tenantMax: 24,
    waitMs: 2_000,
    now: Date.now,
    random: () => 0.5,
    ...more,
  });
  const running = new Map<string, number>();
  const runningMax = new Map<string, number>();
  const done = new Map<string, number>();
  const ask = (tenant: string, ms: number, signal: TenantSignal = ok) =>
    rateLimiter.run(
      tenant,
      async () => {
        running.set(tenant, (running.get(tenant) ?? 0) + 1);
        runningMax.set(tenant, Math.max(runningMax.get(tenant) ?? 0, running.get(tenant) ?? 0));
        await sleep(ms);
        running.set(tenant, (running.get(tenant) ?? 0) - 1);
        done.set(tenant, (done.get(tenant) ?? 0) + 1);
      },
      () => signal,
    );
  return { rateLimiter, ask, runningMax, done, running };
}

it('starts with four concurrent checks of a tenant, and allows one more after each good answer', async () => {
  const { rateLimiter, ask, runningMax } = setUp();
  const all = Array.from({ length: 12 }, () => ask('a', 100));
  await vi.advanceTimersByTimeAsync(50);
  expect(runningMax.get('a')).toBe(4);
  await vi.advanceTimersByTimeAsync(400);
  await Promise.all(all);
  expect(rateLimiter.limitOf('a')).toBe(16);
  for (let i = 0; i < 20; i++) {
    void ask('a', 10);
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(rateLimiter.limitOf('a')).toBe(24);
});

it('halves the limit of a throttled tenant once, not once for each concurrent check', async () => {
  const { rateLimiter, ask } = setUp({ tenantInitial: 16 });
  const all = Array.from({ length: 4 }, () => ask('a', 100, { kind: 'throttled', isWhole: true }));
  await vi.advanceTimersByTimeAsync(100);
  await Promise.all(all);
  expect(rateLimiter.limitOf('a')).toBe(8);
});

it('lowers the limit to one at least, and raises it by one after each round of good answers', async () => {
  const { rateLimiter, ask } = setUp();
  for (let i = 0; i < 4; i++) {
    const one = ask('a', 10, { kind: 'throttled', isWhole: true });
    await vi.advanceTimersByTimeAsync(20);
    await one;
  }
  expect(rateLimiter.limitOf('a')).toBe(1);
  for (let i = 0; i < 3; i++) {
    void ask('a', 10);
    await vi.advanceTimersByTimeAsync(20);
  }
  expect(rateLimiter.limitOf('a')).toBe(3);
});

it('stops asking a tenant that throttles repeatedly until the time that Microsoft named', async () => {
  const { ask, done } = setUp();
  for (let i = 0; i < 5; i++) {
    void ask('a', 10, { kind: 'throttled', isWhole: true, seconds: 30 });
    await vi.advanceTimersByTimeAsync(20);
  }
  const asked = done.get('a');
  const turned = await ask('a', 10);
  expect(turned).toEqual({ ran: false, seconds: expect.toSatisfy((seconds: number) => seconds >= 29.9) });
  await vi.advanceTimersByTimeAsync(29_000);
  expect((await ask('a', 10)).ran).toBe(false);
  expect(done.get('a')).toBe(asked);
  await vi.advanceTimersByTimeAsync(2_000);
  const after = ask('a', 10);
  await vi.advanceTimersByTimeAsync(20);
  expect((await after).ran).toBe(true);
});

it('keeps asking a tenant that still answers some requests', async () => {
  const { rateLimiter, ask } = setUp();
  for (let i = 0; i < 20; i++) {
    void ask('a', 10, { kind: 'throttled', isWhole: false, seconds: 30 });
    await vi.advanceTimersByTimeAsync(20);
  }
  expect(rateLimiter.limitOf('a')).toBe(1);
  const next = ask('a', 10);
  await vi.advanceTimersByTimeAsync(20);
  expect((await next).ran).toBe(true);
});

it('sends a check back to the queue if it gets no turn within two seconds', async () => {
  const { ask } = setUp({ tenantInitial: 1 });
  void ask('a', 10_000);
  const waiting = ask('a', 10);
  await vi.advanceTimersByTimeAsync(1_900);
  let ended: unknown;
  void waiting.then((answer) => {
    ended = answer;
  });
  await vi.advanceTimersByTimeAsync(200);
  expect(ended).toEqual({ ran: false, seconds: 8 });
});

it('does not let a hanging tenant slow down another tenant', async () => {
  const { ask, done } = setUp();
  let stopped = false;
  const keepAsking = async (tenant: string, ms: number, signal: TenantSignal) => {
    while (!stopped) {
      const turn = await ask(tenant, ms, signal);
      if (!turn.ran) await sleep(turn.seconds * 1000);
    }
  };
  for (let i = 0; i < 48; i++) void keepAsking('hangs', 30_000, { kind: 'unanswered' });
  for (let i = 0; i < 24; i++) void keepAsking('works', 100, ok);
  await vi.advanceTimersByTimeAsync(10_000);
  // Four checks hang, so the other tenant has 20 places: about 200 checks a second. Half of that is enough.
  expect(done.get('works')).toBeGreaterThan(1_000);
  stopped = true;
  await vi.advanceTimersByTimeAsync(60_000);
});

it('gives the free places of the process to the waiting tenants in turn', async () => {
  const { ask } = setUp({ processMax: 1 });
  const order: string[] = [];
  void ask('a', 10).then(() => order.push('a'));
  for (const tenant of ['a', 'a', 'a', 'b', 'c']) void ask(tenant, 10).then(() => order.push(tenant));
  await vi.advanceTimersByTimeAsync(100);
  expect(order.slice(0, 4).sort()).toEqual(['a', 'a', 'b', 'c']);
});

it('frees the place of a check that throws', async () => {
  const { rateLimiter, ask } = setUp({ processMax: 1 });
  const broken = rateLimiter.run(
    'a',
    () => Promise.reject(new Error('broken')),
    () => ok,
  );
  await expect(broken).rejects.toThrow('broken');
  const next = ask('a', 10);
  await vi.advanceTimersByTimeAsync(10);
  expect((await next).ran).toBe(true);
});

it('answers every check, and never runs more than the process or the tenant allows, with any mix of answers', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          tenant: fc.constantFrom('a', 'b', 'c'),
          at: fc.integer({ min: 0, max: 5_000 }),
          ms: fc.integer({ min: 1, max: 3_000 }),
          signal: fc.constantFrom<TenantSignal | 'throws'>(
            ok,
            ok,
            { kind: 'throttled', isWhole: true },
            { kind: 'throttled', isWhole: true, seconds: 3 },
            { kind: 'unanswered' },
            'throws',
          ),
        }),
        { maxLength: 60 },
      ),
      async (checks) => {
        const rateLimiter = createTenantRateLimiter({
          processMax: 6,
          tenantInitial: 2,
          tenantMax: 5,
          waitMs: 2_000,
          now: Date.now,
        });
        let running = 0;
        let answered = 0;
        const runningByTenant = new Map<string, number>();
        for (const { tenant, at, ms, signal } of checks) {
          setTimeout(() => {
            rateLimiter
              .run(
                tenant,
                async () => {
                  running++;
                  runningByTenant.set(tenant, (runningByTenant.get(tenant) ?? 0) + 1);
                  expect(running).toBeLessThanOrEqual(6);
                  expect(runningByTenant.get(tenant)).toBeLessThanOrEqual(5);
                  await sleep(ms);
                  running--;
                  runningByTenant.set(tenant, (runningByTenant.get(tenant) ?? 0) - 1);
                  if (signal === 'throws') throw new Error('broken');
                },
                () => (signal === 'throws' ? ok : signal),
              )
              .catch(() => undefined)
              .finally(() => answered++);
          }, at);
        }
        await vi.advanceTimersByTimeAsync(60_000);
        expect(answered).toBe(checks.length);
        expect(running).toBe(0);
      },
    ),
    { numRuns: 50 },
  );
});
