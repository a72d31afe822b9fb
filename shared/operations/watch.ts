import { type Heartbeats, isLate } from '../health/heartbeats.ts';
import type { Log } from '../kernel/log.ts';
import { signal } from '../kernel/signals.ts';
import { type QueueStateDeps, readQueueStates } from './queue-states.ts';
import { type WatchImportsDeps, watchImports } from './watch-imports.ts';

export interface WatchDeps extends QueueStateDeps, WatchImportsDeps {
  heartbeats: Pick<Heartbeats, 'list'>;
  schedulerSilentAfterMs: number;
}

/**
 * Writes what alert rules and the workbook ask for every minute: queues, imports, tenants and timers. Changes nothing but
 * the marks of progress. If one part fails, the others are written all the same.
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
  const now = deps.clock.now();
  for (const heartbeat of await deps.heartbeats.list()) {
    const silentMs = Math.max(0, now.getTime() - heartbeat.ranAt.getTime());
    signal(log, 'timer_watched', {
      watched: heartbeat.timer,
      silentSeconds: Math.floor(silentMs / 1000),
      isLate: isLate(heartbeat, now, deps.schedulerSilentAfterMs),
    });
  }
}
