import type { app } from '@azure/functions';
import { type RemoveOldRecordsDeps, removeOldAuditRecords } from '../../shared/audit/remove-old-records.ts';
import { type PurgeCustomerDeps, purgeDueCustomers } from '../../shared/customers/delete-customer.ts';
import { createTimer, type TimerDeps } from '../../shared/edge/timer.ts';
import type { AnswerMemory } from '../../shared/kernel/answer-memory.ts';
import type { PoisonArchive } from '../../shared/operations/poison-archive.ts';
import { type RemoveOldDeliveriesDeps, removeOldDeliveries } from '../../shared/webhooks/remove-old-deliveries.ts';

type Deps = TimerDeps &
  Omit<PurgeCustomerDeps, 'answers'> &
  RemoveOldRecordsDeps &
  RemoveOldDeliveriesDeps & { answers: AnswerMemory; poisonArchive: Pick<PoisonArchive, 'removeDecided'> };

/** Until then, a second decision about a poison message finds that there is nothing to do. */
const DECIDED_KEPT_MS = 30 * 86_400_000;
const DECIDED_REMOVED_MAX = 10_000;

/** Once a day: purges deleted customers whose grace period is over, and removes what is kept for a time only. */
export function addTidyUpTimer(host: Pick<typeof app, 'timer'>, deps: Deps): void {
  host.timer('tidy-up', {
    schedule: '%EXPIRY_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'tidy-up',
      async handle({ log }) {
        const deletions = await purgeDueCustomers(deps);
        await deps.answers.removeExpired(deps.clock.now());
        const auditRecords = await removeOldAuditRecords(deps);
        const deliveries = await removeOldDeliveries(deps);
        const decidedBefore = new Date(deps.clock.now().getTime() - DECIDED_KEPT_MS);
        const poison = await deps.poisonArchive.removeDecided(decidedBefore, DECIDED_REMOVED_MAX);
        log('info', 'tidied_up', { deletions, auditRecords, deliveries, poison });
      },
    }),
  });
}
