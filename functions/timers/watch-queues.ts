import type { app } from '@azure/functions';
import { createTimer, type TimerDeps } from '../../shared/edge/timer.ts';
import { type WatchDeps, watch } from '../../shared/operations/watch.ts';

/** Every minute: writes the depth and age of queues, poison messages, stalled imports, throttling and heartbeats. */
export function addWatchQueuesTimer(host: Pick<typeof app, 'timer'>, deps: TimerDeps & WatchDeps): void {
  host.timer('watch-queues', {
    schedule: '%SWEEP_SCHEDULE%',
    handler: createTimer(deps, { name: 'watch-queues', handle: ({ log }) => watch(deps, log) }),
  });
}
