import type { app } from '@azure/functions';
import { createTimer, type TimerDeps } from '../../shared/edge/background/timer.ts';
import { type ReconcileDeps, reconcileSlots } from '../../shared/imports/reconciling/reconcile-slots.ts';

/** Once a day: compares the used slots of each customer with its mailboxes, and repairs and reports any drift. */
export function addReconcileSlotsTimer(host: Pick<typeof app, 'timer'>, deps: ReconcileDeps & TimerDeps): void {
  host.timer('reconcile-slots', {
    schedule: '%EXPIRY_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'reconcile-slots',
      async handle({ log }) {
        const result = await reconcileSlots(deps, log);
        if (result) log('info', 'slots_reconciled', { ...result });
      },
    }),
  });
}
