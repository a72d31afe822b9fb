import type { Heartbeats } from '../health/heartbeats.ts';
import { expectTimers, readTimerStates, type TimerStateDeps } from '../health/timers.ts';
import type { Log } from '../kernel/log.ts';
import { signal } from '../kernel/signals.ts';
import { type QueueStateDeps, readQueueStates } from './queue-states.ts';
import { type WatchImportsDeps, watchImports } from './watch-imports.ts';

export interface WatchDeps extends QueueStateDeps, WatchImportsDeps, Omit<TimerStateDeps, 'clock'> {
  heartbeats: Pick<Heartbeats, 'list' | 'listExpected' | 'expect'>;
}

/**
 * Writes what alert rules and the workbook ask for every minute: queues, imports, tenants and timers. Changes nothing but
 * the marks of progress, and since when timers are expected that never ran. If one part fails, the others are written all the same.
 *
 * @throws the error of the first part that has failed
 */
export async function watch(deps: WatchDeps, log: Log): Promise<void> {
  const parts = [watchQueues(deps, log), watchImports(deps, log), watchTimers(deps, log)];
  for (const part of await Promise.allSettled(parts)) if (part.status === 'rejected') throw part.reason;
}

async function watchQueues(deps: QueueStateDeps, log: Log): Promise<void> {
  for (const { name: queue, ...state } of await readQueueStates(deps))
    signal(log, 'queue_watched', { queue, ...state });
}

async function watchTimers(deps: WatchDeps, log: Log): Promise<void> {
  await expectTimers(deps);
  const now = deps.clock.now();
  for (const { timer: watched, silentSince, isLate } of await readTimerStates(deps)) {
    const silentMs = Math.max(0, now.getTime() - silentSince.getTime());
    signal(log, 'timer_watched', { watched, silentSeconds: Math.floor(silentMs / 1000), isLate });
  }
}
