import type { app } from '@azure/functions';
import { type RemoveOldRecordsDeps, removeOldAuditRecords } from '../../shared/audit/remove-old-records.ts';
import { type PurgeCustomerDeps, purgeDueCustomers } from '../../shared/customers/delete-customer.ts';
import { createTimer, type TimerDeps } from '../../shared/edge/timer.ts';
import type { AnswerMemory } from '../../shared/kernel/answer-memory.ts';

type Deps = TimerDeps & Omit<PurgeCustomerDeps, 'answers'> & RemoveOldRecordsDeps & { answers: AnswerMemory };

/** Once a day: purges deleted customers whose grace period is over, and removes expired answers and old audit records. */
export function addTidyUpTimer(host: Pick<typeof app, 'timer'>, deps: Deps): void {
  host.timer('tidy-up', {
    schedule: '%EXPIRY_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'tidy-up',
      async handle({ log }) {
        const deletions = await purgeDueCustomers(deps);
        await deps.answers.removeExpired(deps.clock.now());
        const auditRecords = await removeOldAuditRecords(deps);
        log('info', 'tidied_up', { deletions, auditRecords });
      },
    }),
  });
}
