import type { NextOccurrence } from './schedule.ts';

export interface TimerDeps {
  next: NextOccurrence;
  runOnStartup: boolean;
  /** Gets the payload as JSON; its failure is logged where it is run and does not stop the timer. */
  run: (payload: string) => Promise<unknown>;
  now?: () => Date;
}

export interface Timer {
  /** Runs it now, after a run that is under way. */
  fire(): Promise<void>;
  /** Resolves when the run under way has ended. */
  stop(): Promise<void>;
}

/** Longer delays overflow the clock of `setTimeout`, which would then fire at once. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/**
 * Runs a function on its schedule, never twice at a time: the next occurrence is reckoned when a run has ended, so one
 * that was missed meanwhile is skipped. Nothing is remembered between starts, as with `useMonitor: false`.
 */
export function startTimer(needs: TimerDeps): Timer {
  const now = needs.now ?? (() => new Date());
  let handle: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  let last: Date | undefined;

  function arm(): void {
    if (stopped) return;
    const due = needs.next(now());
    wait(due);
  }

  function wait(due: Date): void {
    const delay = due.getTime() - now().getTime();
    handle = setTimeout(
      () => (delay > LONGEST_DELAY_MS ? wait(due) : void fire().then(arm)),
      Math.min(Math.max(delay, 0), LONGEST_DELAY_MS),
    );
  }

  function fire(): Promise<void> {
    running = running.then(async () => {
      if (stopped) return;
      const started = now();
      await needs.run(payload(last, needs.next(started), started)).catch(() => undefined);
      last = started;
    });
    return running;
  }

  if (needs.runOnStartup) void fire().then(arm);
  else arm();

  return {
    fire,
    async stop() {
      stopped = true;
      clearTimeout(handle);
      await running;
    },
  };
}

/** .NET's shape of it; the library lowers the first letters. An instant that never was is the year 1. */
function payload(last: Date | undefined, next: Date, now: Date): string {
  return JSON.stringify({
    Schedule: { AdjustForDST: true },
    ScheduleStatus: {
      Last: last?.toISOString() ?? '0001-01-01T00:00:00',
      Next: next.toISOString(),
      LastUpdated: now.toISOString(),
    },
    IsPastDue: false,
  });
}
