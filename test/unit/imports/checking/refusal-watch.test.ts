import { describe, expect, it, vi } from 'vitest';
import type { Findings } from '../../../../shared/causes/verdict.ts';
import type { Recheck } from '../../../../shared/imports/checking/recheck-passed-mailbox.ts';
import {
  createRefusalWatch,
  type Observation,
  type RefusalScope,
} from '../../../../shared/imports/checking/refusal-watch.ts';

const checkedAt = new Date('2026-06-01T00:00:00Z');
const passed: Findings = { 'graph.send': { verdict: 'passed', checkedAt } };
const denied: Findings = {
  'graph.send': {
    verdict: 'failed',
    cause: 'permission_missing',
    microsoftCode: 'ErrorAccessDenied',
    checkedAt,
    denial: { byPolicy: false, token: 'lacks', mailboxOpened: false },
  },
};
const unlicensed: Findings = {
  'graph.send': { verdict: 'failed', cause: 'mailbox_not_found', microsoftCode: 'ErrorInvalidUser', checkedAt },
};

function setUp(recheck: Recheck = 'none', refusedInARowMax = 5) {
  vi.useFakeTimers({ now: 1_000_000 });
  const watch = createRefusalWatch({ refusedInARowMax, holdMs: 1500, now: Date.now });
  const asked: (string | undefined)[] = [];
  let serial = 0;
  const observe = (findings: Findings, more: Partial<Observation> = {}) => {
    let scope: RefusalScope | undefined;
    const done = watch
      .observe({
        connectionId: 'conn_1',
        importId: 'imp_1',
        address: `user${++serial}@contoso.example`,
        findings,
        startedAt: Date.now(),
        recheck: async (_probe, address) => {
          asked.push(address);
          return recheck;
        },
        ...more,
      })
      .then((answer) => {
        scope = answer;
      });
    return { done, scope: () => scope };
  };
  return { observe, asked };
}

describe('a refusal that could concern every mailbox', () => {
  it('is held back for a moment, and then counts as the mailbox’s own', async () => {
    const { observe } = setUp();
    const one = observe(denied);
    await vi.advanceTimersByTimeAsync(1_400);
    expect(one.scope()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(200);
    expect(one.scope()).toEqual({ everywhere: false });
  });

  it('counts as the mailbox’s own as soon as a later check passes', async () => {
    const { observe } = setUp();
    const one = observe(denied);
    await vi.advanceTimersByTimeAsync(100);
    await observe(passed).done;
    await vi.advanceTimersByTimeAsync(0);
    expect(one.scope()).toEqual({ everywhere: false });
  });

  it('is still held back if the check that passed had begun before the refusal', async () => {
    const { observe } = setUp();
    const one = observe(denied);
    await observe(passed, { startedAt: Date.now() - 10 }).done;
    await vi.advanceTimersByTimeAsync(100);
    expect(one.scope()).toBeUndefined();
  });

  it('concerns every mailbox after five in a row if no mailbox has passed', async () => {
    const { observe, asked } = setUp();
    const all = Array.from({ length: 5 }, () => observe(denied));
    await vi.advanceTimersByTimeAsync(0);
    for (const one of all) expect(one.scope()).toMatchObject({ everywhere: true, refusedInARow: 5 });
    expect(asked).toEqual([undefined]);
  });

  it('is also counted after it is no longer held back', async () => {
    const { observe } = setUp();
    for (let i = 0; i < 4; i++) {
      const one = observe(denied);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(one.scope()).toEqual({ everywhere: false });
    }
    const fifth = observe(denied);
    await vi.advanceTimersByTimeAsync(0);
    expect(fifth.scope()).toMatchObject({ everywhere: true, refusedInARow: 5 });
  });

  it('counts as the mailbox’s own if a mailbox that passed before passes again', async () => {
    const { observe, asked } = setUp('passes');
    await observe(passed, { address: 'jane@contoso.example' }).done;
    await vi.advanceTimersByTimeAsync(10);
    const all = Array.from({ length: 5 }, () => observe(denied));
    await vi.advanceTimersByTimeAsync(0);
    for (const one of all) expect(one.scope()).toEqual({ everywhere: false });
    expect(asked).toEqual(['jane@contoso.example']);
  });

  it('is rechecked less often each time the rechecked mailbox passes', async () => {
    const { observe, asked } = setUp('passes');
    for (let i = 0; i < 14; i++) {
      observe(denied);
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(asked).toHaveLength(1);
    observe(denied);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(2);
  });

  it('concerns every mailbox if the mailbox that passed before is now refused too', async () => {
    const { observe } = setUp('refused');
    await observe(passed).done;
    await vi.advanceTimersByTimeAsync(10);
    const all = Array.from({ length: 5 }, () => observe(denied));
    await vi.advanceTimersByTimeAsync(0);
    for (const one of all) expect(one.scope()).toMatchObject({ everywhere: true });
  });

  it('concerns every mailbox if its check was running when that was decided for the others', async () => {
    const { observe } = setUp();
    const startedAt = Date.now() - 50;
    for (let i = 0; i < 5; i++) observe(denied, { startedAt });
    await vi.advanceTimersByTimeAsync(20);
    const late = observe(denied, { startedAt });
    await vi.advanceTimersByTimeAsync(0);
    expect(late.scope()).toMatchObject({ everywhere: true });
  });

  it('is no longer held back if the recheck fails', async () => {
    const { observe } = setUp();
    const recheck = () => Promise.reject(new Error('no storage'));
    const held = Array.from({ length: 4 }, () => observe(denied));
    const fifth = observe(denied, { recheck }).done.catch((error: Error) => error.message);
    await vi.advanceTimersByTimeAsync(0);
    expect(await fifth).toBe('no storage');
    for (const one of held) expect(one.scope()).toEqual({ everywhere: false });
  });
});

it('never holds back a refusal that can only be the mailbox’s own, even after 50 in a row', async () => {
  const { observe } = setUp();
  const all = Array.from({ length: 50 }, () => observe(unlicensed));
  await vi.advanceTimersByTimeAsync(0);
  for (const one of all) expect(one.scope()).toEqual({ everywhere: false });
});

it('counts refusals of each import separately', async () => {
  const { observe } = setUp();
  const here = Array.from({ length: 4 }, () => observe(denied));
  const there = Array.from({ length: 4 }, () => observe(denied, { importId: 'imp_2' }));
  await vi.advanceTimersByTimeAsync(100);
  for (const one of [...here, ...there]) expect(one.scope()).toBeUndefined();
});
