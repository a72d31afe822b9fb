import type { app } from '@azure/functions';
import { sweepDeletions } from '../../shared/connections/lifecycle/delete-connection.ts';
import { createTimer, type TimerDeps } from '../../shared/edge/background/timer.ts';

export function addSweepDeletionsTimer(
  host: Pick<typeof app, 'timer'>,
  deps: TimerDeps & Parameters<typeof sweepDeletions>[0],
): void {
  host.timer('sweep-deletions', {
    schedule: '%SWEEP_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'sweep-deletions',
      async handle({ log }) {
        const sent = await sweepDeletions(deps);
        if (sent > 0) log('info', 'deletions_swept', { sent });
      },
    }),
  });
}
