import type { app } from '@azure/functions';
import { sweepDirectories } from '../../shared/directory/refresh-directory.ts';
import { createTimer, type TimerDeps } from '../../shared/edge/background/timer.ts';

export function addSweepDirectoriesTimer(
  host: Pick<typeof app, 'timer'>,
  deps: TimerDeps & Parameters<typeof sweepDirectories>[0],
): void {
  host.timer('sweep-directories', {
    schedule: '%SWEEP_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'sweep-directories',
      async handle({ log }) {
        const sent = await sweepDirectories(deps);
        if (sent > 0) log('info', 'directories_swept', { sent });
      },
    }),
  });
}
