import type { app } from '@azure/functions';
import { createTimer, type TimerDeps } from '../../shared/edge/timer.ts';
import { type DecidePoisonDeps, finishRequeues } from '../../shared/operations/decide-poison.ts';
import { type WatchDeps, watch } from '../../shared/operations/watch.ts';

/**
 * Every minute: writes the depth and age of queues, poison messages, stalled imports, throttling and heartbeats. Then
 * carries out decisions about poison messages whose process has died.
 */
export function addWatchQueuesTimer(
  host: Pick<typeof app, 'timer'>,
  deps: TimerDeps & WatchDeps & DecidePoisonDeps,
): void {
  host.timer('watch-queues', {
    schedule: '%SWEEP_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'watch-queues',
      async handle({ log }) {
        await watch(deps, log);
        const requeued = await finishRequeues(deps);
        if (requeued > 0) log('info', 'requeues_finished', { messages: requeued });
      },
    }),
  });
}
