import { expect, it } from 'vitest';
import { inOrder, type RunStep, runInSteps } from '../../../shared/kernel/resumable-run.ts';
import { inMemoryRunProgress } from '../../fakes/in-memory-run-progress.ts';

const MINUTE_MS = 60_000;

function createWorld(stepMs = 0) {
  const progress = inMemoryRunProgress();
  const done: string[] = [];
  let now = 0;
  const clock = { now: () => new Date(now) };
  /** A list of parts, whose cursors are their numbers. */
  const list =
    (name: string, parts: number): RunStep =>
    async (cursor = '1') => {
      now += stepMs;
      done.push(`${name}${cursor}`);
      return Number(cursor) < parts ? String(Number(cursor) + 1) : undefined;
    };
  return {
    progress,
    done,
    list,
    pass: (ms: number) => (now += ms),
    run: (step: RunStep) => runInSteps({ progress, clock }, step),
  };
}

it('goes through several lists in one run, and begins anew in the next one', async () => {
  const { run, list, done } = createWorld();
  const step = inOrder({ a: list('a', 2), b: list('b', 1), c: list('c', 3) });
  expect(await run(step)).toEqual({ isComplete: true });
  expect(done).toEqual(['a1', 'a2', 'b1', 'c1', 'c2', 'c3']);
  await run(step);
  expect(done).toHaveLength(12);
});

it('ends after five minutes, and goes on where it stopped, however often', async () => {
  const { run, list, done } = createWorld(2 * MINUTE_MS);
  const step = inOrder({ a: list('a', 4), b: list('b', 3) });
  expect(await run(step)).toEqual({ isComplete: false });
  expect(done).toEqual(['a1', 'a2', 'a3']);
  expect(await run(step)).toEqual({ isComplete: false });
  expect(await run(step)).toEqual({ isComplete: true });
  expect(done).toEqual(['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'b3']);
});

it('is done by one process at a time, and repeats the step at which a process has died', async () => {
  const { run, list, done, pass, progress } = createWorld();
  const whole = list('a', 3);
  void run((cursor, id) => (cursor === '2' ? new Promise<never>(() => undefined) : whole(cursor, id)));
  await expect.poll(async () => (await progress.get())?.value.cursor).toBe('2');
  expect(await run(whole)).toBeUndefined();
  pass(MINUTE_MS / 2);
  expect(await run(whole)).toEqual({ isComplete: true });
  expect(done).toEqual(['a1', 'a2', 'a3']);
});

it('goes on at the step that has failed', async () => {
  const { run, list, done } = createWorld();
  const whole = list('a', 3);
  const failing: RunStep = async (cursor, id) => {
    if (cursor === '3') throw new Error('unavailable');
    return whole(cursor, id);
  };
  await expect(run(failing)).rejects.toThrow('unavailable');
  await run(whole);
  expect(done).toEqual(['a1', 'a2', 'a3']);
});

it.each(['1', '0 0 https://vault/secrets?page=2', '2 x', ''])(
  'begins anew at the cursor "%s" of another version',
  async (cursor) => {
    const { run, list, done, progress } = createWorld();
    await progress.put({ cursor }, undefined);
    await run(inOrder({ a: list('a', 2), b: list('b', 1) }));
    expect(done).toEqual(['a1', 'a2', 'b1']);
  },
);

it('goes on beside a lease that a clock a year ahead has taken', async () => {
  const { run, list, done, progress } = createWorld();
  await progress.put({ holder: 'ahead', until: new Date(365 * 24 * 60 * MINUTE_MS) }, undefined);
  expect(await run(list('a', 1))).toEqual({ isComplete: true });
  expect(done).toEqual(['a1']);
});
