import type { app } from '@azure/functions';
import { createTimer, type TimerDeps } from '../../shared/edge/timer.ts';
import { type RunRemovalsDeps, runRemovals } from '../../shared/imports/retention/run-removals.ts';

/** Removes uploads and rows that have been kept for long enough. */
export function addRemoveExpiredDataTimer(host: Pick<typeof app, 'timer'>, deps: TimerDeps & RunRemovalsDeps): void {
  host.timer('remove-expired-data', {
    schedule: '%RETENTION_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'remove-expired-data',
      async handle({ log }) {
        const result = await runRemovals(deps);
        if (!result) return;
        const { removed, isUnfinished, failed } = result;
        for (const error of failed) log('warn', 'removal_failed', { error });
        log('info', 'expired_data_removed', { removed, isUnfinished, failed: failed.length });
      },
    }),
  });
}
