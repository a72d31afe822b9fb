import type { app } from '@azure/functions';
import { createTimer, type TimerDeps } from '../../shared/edge/background/timer.ts';
import type { Log } from '../../shared/kernel/log.ts';
import { type FinishRequeuesDeps, finishRequeues } from '../../shared/operations/decide-poison.ts';
import { type WatchDeps, watch } from '../../shared/operations/watch.ts';

/**
 * Every minute: writes the depth and age of queues, poison messages, stalled imports, throttling and heartbeats. Also
 * carries out decisions about poison messages whose process has died. If one of the two fails, the other one is done.
 */
export function addWatchQueuesTimer(
  host: Pick<typeof app, 'timer'>,
  deps: TimerDeps & WatchDeps & FinishRequeuesDeps,
): void {
  host.timer('watch-queues', {
    schedule: '%SWEEP_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'watch-queues',
      async handle({ log }) {
        const parts = [watch(deps, log), finish(deps, log)];
        for (const part of await Promise.allSettled(parts)) if (part.status === 'rejected') throw part.reason;
      },
    }),
  });
}

async function finish(deps: FinishRequeuesDeps, log: Log): Promise<void> {
  const requeued = await finishRequeues(deps, log);
  if (requeued > 0) log('info', 'requeues_finished', { messages: requeued });
}
