import { describe, expect, it, vi } from 'vitest';
import type { Findings } from '../../../../shared/causes/verdict.ts';
import {
  createRefusalWatch,
  type Recheck,
  type Ruling,
  type Weighed,
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

function setUp(witness: Recheck = 'none', alikeMax = 5) {
  vi.useFakeTimers({ now: 1_000_000 });
  const watch = createRefusalWatch({ alikeMax, holdMs: 1500, now: Date.now });
  const asked: (string | undefined)[] = [];
  let serial = 0;
  const weigh = (findings: Findings, more: Partial<Weighed> = {}) => {
    let ruling: Ruling | undefined;
    const done = watch
      .weigh({
        connectionId: 'conn_1',
        importId: 'imp_1',
        address: `user${++serial}@contoso.example`,
        findings,
        startedAt: Date.now(),
        recheckPassedMailbox: async (_probe, address) => {
          asked.push(address);
          return witness;
        },
        ...more,
      })
      .then((answer) => {
        ruling = answer;
      });
    return { done, ruling: () => ruling };
  };
  return { weigh, asked };
}

describe('a refusal that could hit every mailbox', () => {
  it('is held back for a moment, and is the mailbox’s own when nothing comes of it', async () => {
    const { weigh } = setUp();
    const one = weigh(denied);
    await vi.advanceTimersByTimeAsync(1_400);
    expect(one.ruling()).toBeUndefined();
    await vi.advanceTimersByTimeAsync(200);
    expect(one.ruling()).toEqual({ everywhere: false });
  });

  it('is the mailbox’s own as soon as one that was asked for later passes', async () => {
    const { weigh } = setUp();
    const one = weigh(denied);
    await vi.advanceTimersByTimeAsync(100);
    await weigh(passed).done;
    await vi.advanceTimersByTimeAsync(0);
    expect(one.ruling()).toEqual({ everywhere: false });
  });

  it('is not cleared by a pass that had begun before it', async () => {
    const { weigh } = setUp();
    const one = weigh(denied);
    await weigh(passed, { startedAt: Date.now() - 10 }).done;
    await vi.advanceTimersByTimeAsync(100);
    expect(one.ruling()).toBeUndefined();
  });

  it('hits everywhere when so many come in a row and no mailbox is known to work', async () => {
    const { weigh, asked } = setUp();
    const all = Array.from({ length: 5 }, () => weigh(denied));
    await vi.advanceTimersByTimeAsync(0);
    for (const one of all) expect(one.ruling()).toMatchObject({ everywhere: true, alike: 5 });
    expect(asked).toEqual([undefined]);
  });

  it('counts refusals that were let go by time', async () => {
    const { weigh } = setUp();
    for (let i = 0; i < 4; i++) {
      const one = weigh(denied);
      await vi.advanceTimersByTimeAsync(2_000);
      expect(one.ruling()).toEqual({ everywhere: false });
    }
    const fifth = weigh(denied);
    await vi.advanceTimersByTimeAsync(0);
    expect(fifth.ruling()).toMatchObject({ everywhere: true, alike: 5 });
  });

  it('asks a mailbox that has passed before, and believes it', async () => {
    const { weigh, asked } = setUp('passes');
    await weigh(passed, { address: 'jane@contoso.example' }).done;
    await vi.advanceTimersByTimeAsync(10);
    const all = Array.from({ length: 5 }, () => weigh(denied));
    await vi.advanceTimersByTimeAsync(0);
    for (const one of all) expect(one.ruling()).toEqual({ everywhere: false });
    expect(asked).toEqual(['jane@contoso.example']);
  });

  it('is looked into ever more seldom while the witness passes', async () => {
    const { weigh, asked } = setUp('passes');
    for (let i = 0; i < 14; i++) {
      weigh(denied);
      await vi.advanceTimersByTimeAsync(0);
    }
    expect(asked).toHaveLength(1);
    weigh(denied);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toHaveLength(2);
  });

  it('hits everywhere when the mailbox that passed before is refused too', async () => {
    const { weigh } = setUp('refused');
    await weigh(passed).done;
    await vi.advanceTimersByTimeAsync(10);
    const all = Array.from({ length: 5 }, () => weigh(denied));
    await vi.advanceTimersByTimeAsync(0);
    for (const one of all) expect(one.ruling()).toMatchObject({ everywhere: true });
  });

  it('is ruled like the others when its check was under way as they were ruled', async () => {
    const { weigh } = setUp();
    const startedAt = Date.now() - 50;
    for (let i = 0; i < 5; i++) weigh(denied, { startedAt });
    await vi.advanceTimersByTimeAsync(20);
    const late = weigh(denied, { startedAt });
    await vi.advanceTimersByTimeAsync(0);
    expect(late.ruling()).toMatchObject({ everywhere: true });
  });

  it('holds nobody when the witness cannot be asked', async () => {
    const { weigh } = setUp();
    const recheckPassedMailbox = () => Promise.reject(new Error('storage is away'));
    const held = Array.from({ length: 4 }, () => weigh(denied));
    const fifth = weigh(denied, { recheckPassedMailbox }).done.catch((error: Error) => error.message);
    await vi.advanceTimersByTimeAsync(0);
    expect(await fifth).toBe('storage is away');
    for (const one of held) expect(one.ruling()).toEqual({ everywhere: false });
  });
});

it('leaves refusals that are plainly the mailbox’s own alone, however many come', async () => {
  const { weigh } = setUp();
  const all = Array.from({ length: 50 }, () => weigh(unlicensed));
  await vi.advanceTimersByTimeAsync(0);
  for (const one of all) expect(one.ruling()).toEqual({ everywhere: false });
});

it('tells imports and probes apart', async () => {
  const { weigh } = setUp();
  const here = Array.from({ length: 4 }, () => weigh(denied));
  const there = Array.from({ length: 4 }, () => weigh(denied, { importId: 'imp_2' }));
  await vi.advanceTimersByTimeAsync(100);
  for (const one of [...here, ...there]) expect(one.ruling()).toBeUndefined();
});
