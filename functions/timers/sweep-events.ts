import type { app } from '@azure/functions';
import { createTimer, type TimerDeps } from '../../shared/edge/background/timer.ts';
import { type SweepEventsDeps, sweepEvents } from '../../shared/webhooks/sweep-events.ts';

export function addSweepEventsTimer(host: Pick<typeof app, 'timer'>, deps: SweepEventsDeps & TimerDeps): void {
  host.timer('sweep-events', {
    schedule: '%SWEEP_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'sweep-events',
      async handle({ log }) {
        const found = await sweepEvents(deps);
        log('info', 'events_swept', found);
      },
    }),
  });
}
