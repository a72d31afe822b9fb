import type { app } from '@azure/functions';
import { type PurgeCustomerDeps, purgeDueCustomers } from '../../shared/customers/purge-customer.ts';
import { createTimer, type TimerDeps } from '../../shared/edge/background/timer.ts';
import { type RunRemovalsDeps, runRemovals } from '../../shared/imports/retention/run-removals.ts';
import type { Log } from '../../shared/kernel/log.ts';

type Deps = TimerDeps & RunRemovalsDeps & PurgeCustomerDeps;

/**
 * Removes uploads and rows that have been kept for long enough, purges deleted customers whose grace period is over, and
 * completes interrupted purges. If one of the two fails, the other one is done.
 */
export function addRemoveExpiredDataTimer(host: Pick<typeof app, 'timer'>, deps: Deps): void {
  host.timer('remove-expired-data', {
    schedule: '%RETENTION_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'remove-expired-data',
      async handle({ log }) {
        const parts = [removeRowsAndUploads(deps, log), purgeCustomers(deps, log)];
        for (const part of await Promise.allSettled(parts)) if (part.status === 'rejected') throw part.reason;
      },
    }),
  });
}

async function removeRowsAndUploads(deps: RunRemovalsDeps, log: Log): Promise<void> {
  const result = await runRemovals(deps);
  if (!result) return;
  const { removed, isUnfinished, failed } = result;
  for (const error of failed) log('warn', 'removal_failed', { error });
  log('info', 'expired_data_removed', { removed, isUnfinished, failed: failed.length });
}

async function purgeCustomers(deps: PurgeCustomerDeps, log: Log): Promise<void> {
  const customers = await purgeDueCustomers(deps, log);
  if (customers > 0) log('info', 'customers_purged', { customers });
}
