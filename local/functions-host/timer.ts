import type { NextOccurrence } from './schedule.ts';

export interface TimerDeps {
  next: NextOccurrence;
  runOnStartup: boolean;
  /** Receives the payload as JSON. It logs its own failure, which does not stop the timer. */
  run: (payload: string) => Promise<unknown>;
  now?: () => Date;
}

export interface Timer {
  /** Runs the function now, or after the current run. Does nothing once the timer is stopped. */
  fire(): Promise<void>;
  /** Resolves once the current run has ended. */
  stop(): Promise<void>;
}

/** Longer delays overflow `setTimeout`, which would then fire immediately. */
const DELAY_MAX_MS = 2 ** 31 - 1;

/**
 * Runs a function on its schedule, never twice at the same time. The next occurrence is computed after a run, so those
 * missed during the run are skipped. As with `useMonitor: false`, nothing is remembered between starts.
 */
export function startTimer(deps: TimerDeps): Timer {
  const now = deps.now ?? (() => new Date());
  let handle: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let isStopped = false;
  let last: Date | undefined;

  function arm(): void {
    if (isStopped) return;
    const due = deps.next(now());
    wait(due);
  }

  function wait(due: Date): void {
    const delay = due.getTime() - now().getTime();
    handle = setTimeout(
      () => (delay > DELAY_MAX_MS ? wait(due) : void fire().then(arm)),
      Math.min(Math.max(delay, 0), DELAY_MAX_MS),
    );
  }

  function fire(): Promise<void> {
    running = running.then(async () => {
      if (isStopped) return;
      const started = now();
      await deps.run(timerPayload(last, deps.next(started), started)).catch(() => undefined);
      last = started;
    });
    return running;
  }

  if (deps.runOnStartup) void fire().then(arm);
  else arm();

  return {
    fire,
    async stop() {
      isStopped = true;
      clearTimeout(handle);
      await running;
    },
  };
}

/** What a timer function receives. In the shape of .NET. The library lowercases the first letters. Without a last run, `Last` is in the year 1. */
export function timerPayload(last: Date | undefined, next: Date, now: Date): string {
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
