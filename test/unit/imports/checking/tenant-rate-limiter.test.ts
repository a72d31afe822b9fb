import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createTenantRateLimiter, type TenantSignal } from '../../../../shared/imports/checking/tenant-rate-limiter.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => void vi.useRealTimers());

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
const fine: TenantSignal = { kind: 'ok' };

function setUp(more: { processMax?: number; tenantInitial?: number; tenantMax?: number } = {}) {
  const pace = createTenantRateLimiter({
    processMax: 24,
    tenantInitial: 4,
    tenantMax: 24,
    waitMs: 2_000,
    now: Date.now,
    random: () => 0.5,
    ...more,
  });
  const running = new Map<string, number>();
  const most = new Map<string, number>();
  const done = new Map<string, number>();
  const ask = (tenant: string, ms: number, signal: TenantSignal = fine) =>
    pace.run(
      tenant,
      async () => {
        running.set(tenant, (running.get(tenant) ?? 0) + 1);
        most.set(tenant, Math.max(most.get(tenant) ?? 0, running.get(tenant) ?? 0));
        await sleep(ms);
        running.set(tenant, (running.get(tenant) ?? 0) - 1);
        done.set(tenant, (done.get(tenant) ?? 0) + 1);
      },
      () => signal,
    );
  return { pace, ask, most, done, running };
}

it('begins with four of a tenant at once, and makes room for one more with each fine answer', async () => {
  const { pace, ask, most } = setUp();
  const all = Array.from({ length: 12 }, () => ask('a', 100));
  await vi.advanceTimersByTimeAsync(50);
  expect(most.get('a')).toBe(4);
  await vi.advanceTimersByTimeAsync(400);
  await Promise.all(all);
  expect(pace.limitOf('a')).toBe(16);
  for (let i = 0; i < 20; i++) {
    void ask('a', 10);
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(pace.limitOf('a')).toBe(24);
});

it('halves what a tenant may have at once when it is throttled, once for all that were under way', async () => {
  const { pace, ask } = setUp({ tenantInitial: 16 });
  const all = Array.from({ length: 4 }, () => ask('a', 100, { kind: 'throttled', isWhole: true }));
  await vi.advanceTimersByTimeAsync(100);
  await Promise.all(all);
  expect(pace.limitOf('a')).toBe(8);
});

it('goes down to one, and up again by one for each round of fine answers', async () => {
  const { pace, ask } = setUp();
  for (let i = 0; i < 4; i++) {
    const one = ask('a', 10, { kind: 'throttled', isWhole: true });
    await vi.advanceTimersByTimeAsync(20);
    await one;
  }
  expect(pace.limitOf('a')).toBe(1);
  for (let i = 0; i < 3; i++) {
    void ask('a', 10);
    await vi.advanceTimersByTimeAsync(20);
  }
  expect(pace.limitOf('a')).toBe(3);
});

it('does not ask a tenant that throttles again and again before the time that Microsoft named', async () => {
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

it('goes on asking a tenant that answers some of what it is asked', async () => {
  const { pace, ask } = setUp();
  for (let i = 0; i < 20; i++) {
    void ask('a', 10, { kind: 'throttled', isWhole: false, seconds: 30 });
    await vi.advanceTimersByTimeAsync(20);
  }
  expect(pace.limitOf('a')).toBe(1);
  const next = ask('a', 10);
  await vi.advanceTimersByTimeAsync(20);
  expect((await next).ran).toBe(true);
});

it('sends a check back to the queue when its turn does not come within two seconds', async () => {
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

it('lets no tenant that hangs keep another from its share', async () => {
  const { ask, done } = setUp();
  let stopped = false;
  const keepAsking = async (tenant: string, ms: number, signal: TenantSignal) => {
    while (!stopped) {
      const turn = await ask(tenant, ms, signal);
      if (!turn.ran) await sleep(turn.seconds * 1000);
    }
  };
  for (let i = 0; i < 48; i++) void keepAsking('hangs', 30_000, { kind: 'unanswered' });
  for (let i = 0; i < 24; i++) void keepAsking('works', 100, fine);
  await vi.advanceTimersByTimeAsync(10_000);
  // Twenty places are left beside the four that hang: some 200 checks a second; half of it is plenty.
  expect(done.get('works')).toBeGreaterThan(1_000);
  stopped = true;
  await vi.advanceTimersByTimeAsync(60_000);
});

it('serves tenants that wait for the places of the process in turn', async () => {
  const { ask } = setUp({ processMax: 1 });
  const order: string[] = [];
  void ask('a', 10).then(() => order.push('a'));
  for (const tenant of ['a', 'a', 'a', 'b', 'c']) void ask(tenant, 10).then(() => order.push(tenant));
  await vi.advanceTimersByTimeAsync(100);
  expect(order.slice(0, 4).sort()).toEqual(['a', 'a', 'b', 'c']);
});

it('frees the place of a check that throws', async () => {
  const { pace, ask } = setUp({ processMax: 1 });
  const broken = pace.run(
    'a',
    () => Promise.reject(new Error('broken')),
    () => fine,
  );
  await expect(broken).rejects.toThrow('broken');
  const next = ask('a', 10);
  await vi.advanceTimersByTimeAsync(10);
  expect((await next).ran).toBe(true);
});

it('answers every check, and never has more at once than the process or the tenant may, whatever comes back', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          tenant: fc.constantFrom('a', 'b', 'c'),
          at: fc.integer({ min: 0, max: 5_000 }),
          ms: fc.integer({ min: 1, max: 3_000 }),
          signal: fc.constantFrom<TenantSignal | 'throws'>(
            fine,
            fine,
            { kind: 'throttled', isWhole: true },
            { kind: 'throttled', isWhole: true, seconds: 3 },
            { kind: 'unanswered' },
            'throws',
          ),
        }),
        { maxLength: 60 },
      ),
      async (checks) => {
        const pace = createTenantRateLimiter({
          processMax: 6,
          tenantInitial: 2,
          tenantMax: 5,
          waitMs: 2_000,
          now: Date.now,
        });
        let running = 0;
        let answered = 0;
        const inLane = new Map<string, number>();
        for (const { tenant, at, ms, signal } of checks) {
          setTimeout(() => {
            pace
              .run(
                tenant,
                async () => {
                  running++;
                  inLane.set(tenant, (inLane.get(tenant) ?? 0) + 1);
                  expect(running).toBeLessThanOrEqual(6);
                  expect(inLane.get(tenant)).toBeLessThanOrEqual(5);
                  await sleep(ms);
                  running--;
                  inLane.set(tenant, (inLane.get(tenant) ?? 0) - 1);
                  if (signal === 'throws') throw new Error('broken');
                },
                () => signal as TenantSignal,
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
