import { afterEach, expect, test, vi } from 'vitest';
import { parseSchedule } from '../../../../local/functions-host/schedule.ts';
import { startTimer } from '../../../../local/functions-host/timer.ts';

afterEach(() => {
  vi.useRealTimers();
});

test.each([
  ['0 */5 * * * *', '2026-01-31T10:02:03Z', '2026-01-31T10:05:00Z'],
  ['*/5 * * * *', '2026-01-31T10:02:03Z', '2026-01-31T10:05:00Z'],
  ['0 0 6 * * *', '2026-01-31T10:02:03Z', '2026-02-01T06:00:00Z'],
  ['0 0 0 * * MON', '2026-01-31T10:00:00Z', '2026-02-02T00:00:00Z'],
  ['00:00:30', '2026-01-31T10:00:00Z', '2026-01-31T10:00:30Z'],
  // Both days are restricted, so only Friday the 13th matches. Unix cron would accept any Friday and any 13th.
  ['0 0 0 13 * FRI', '2026-01-01T00:00:00Z', '2026-02-13T00:00:00Z'],
])('%s after %s is due at %s', (schedule, after, due) => {
  expect(parseSchedule(schedule, 'tick')(new Date(after))).toEqual(new Date(due));
});

test.each(['', 'often', '61 * * * * *', '* * * *', '00:00:00'])('refuses "%s" and names the function', (text) => {
  expect(() => parseSchedule(text, 'tick')).toThrow(/^tick: /);
});

test('an occurrence during a run is skipped, and the next one is on schedule', async () => {
  vi.useFakeTimers({ now: new Date('2026-01-31T10:00:00.500Z') });
  const starts: string[] = [];
  const run = async () => {
    starts.push(new Date().toISOString().slice(17, 19));
    await new Promise((done) => setTimeout(done, 2_500));
  };
  const timer = startTimer({ next: parseSchedule('* * * * * *', 'tick'), runOnStartup: false, run });
  await vi.advanceTimersByTimeAsync(7_000);
  expect(starts).toEqual(['01', '04', '07']);
  const stopped = timer.stop();
  await vi.advanceTimersByTimeAsync(5_000);
  await stopped;
  expect(starts).toHaveLength(3);
});

test('a run that fails does not stop the timer', async () => {
  vi.useFakeTimers();
  let runs = 0;
  const run = () => {
    runs++;
    return Promise.reject(new Error('no'));
  };
  const timer = startTimer({ next: parseSchedule('00:00:01', 'tick'), runOnStartup: true, run });
  await vi.advanceTimersByTimeAsync(3_100);
  expect(runs).toBe(4);
  await timer.stop();
});

test('a schedule months ahead does not fire immediately', async () => {
  vi.useFakeTimers({ now: new Date('2026-01-01T00:00:00Z') });
  let runs = 0;
  const run = async () => {
    runs++;
  };
  const timer = startTimer({ next: parseSchedule('0 0 0 1 6 *', 'tick'), runOnStartup: false, run });
  await vi.advanceTimersByTimeAsync(100 * 24 * 3600 * 1000);
  expect(runs).toBe(0);
  await vi.advanceTimersByTimeAsync(60 * 24 * 3600 * 1000);
  expect(runs).toBe(1);
  await timer.stop();
});
