import type { Clock } from '../kernel/clock.ts';
import { type Heartbeats, isLate } from './heartbeats.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Every timer, and the time between two of its runs by the schedule that is the default. */
const timers: Readonly<Record<string, number>> = {
  'sweep-imports': MINUTE_MS,
  'sweep-deletions': MINUTE_MS,
  'sweep-events': MINUTE_MS,
  'sweep-directories': MINUTE_MS,
  'watch-queues': MINUTE_MS,
  'remove-expired-data': 5 * MINUTE_MS,
  'reverify-mailboxes': 5 * MINUTE_MS,
  'find-expiring-secrets': DAY_MS,
  'remove-orphaned-secrets': DAY_MS,
  'reconcile-slots': DAY_MS,
  'tidy-up': DAY_MS,
};

export const timerNames: readonly string[] = Object.keys(timers);

export interface TimerState {
  timer: string;
  /** When it last completed a run. Absent if it never did. */
  ranAt?: Date;
  dueAt?: Date;
  /** Since when it has completed no run. */
  silentSince: Date;
  isLate: boolean;
}

export interface TimerStateDeps {
  heartbeats: Pick<Heartbeats, 'list' | 'listExpected'>;
  clock: Clock;
  /** When this process has started. */
  startedAt: Date;
  schedulerSilentAfterMs: number;
}

/** Of every timer of this version, also of those that never ran. */
export async function readTimerStates(deps: TimerStateDeps): Promise<TimerState[]> {
  const [heartbeats, expected] = await Promise.all([deps.heartbeats.list(), deps.heartbeats.listExpected()]);
  const now = deps.clock.now();
  const beats = new Map(heartbeats.map((heartbeat) => [heartbeat.timer, heartbeat]));
  const sinces = new Map(expected.map(({ timer, since }) => [timer, since]));
  return Object.entries(timers).map(([timer, everyMs]) => {
    const beat = beats.get(timer);
    if (beat) return { ...beat, silentSince: beat.ranAt, isLate: isLate(beat, now, deps.schedulerSilentAfterMs) };
    const silentSince = sinces.get(timer) ?? deps.startedAt;
    const dueAt = new Date(silentSince.getTime() + everyMs);
    return {
      timer,
      silentSince,
      isLate: isLate({ timer, ranAt: silentSince, dueAt }, now, deps.schedulerSilentAfterMs),
    };
  });
}

/** Notes since when timers are expected that never ran. A process may not live long enough to see that they are late. */
export async function expectTimers({
  heartbeats,
  clock,
}: {
  heartbeats: Pick<Heartbeats, 'list' | 'listExpected' | 'expect'>;
  clock: Clock;
}): Promise<void> {
  const known = [...(await heartbeats.list()), ...(await heartbeats.listExpected())].map(({ timer }) => timer);
  for (const timer of timerNames) if (!known.includes(timer)) await heartbeats.expect(timer, clock.now());
}
