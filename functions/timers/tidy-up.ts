import type { app } from '@azure/functions';
import { type RemoveOldRecordsDeps, removeOldAuditRecords } from '../../shared/audit/remove-old-records.ts';
import { type RemoveOldLinksDeps, removeOldLinks } from '../../shared/connections/consent/remove-old-links.ts';
import { removeOldDirectories } from '../../shared/directory/refresh-directory.ts';
import { createTimer, type TimerDeps } from '../../shared/edge/background/timer.ts';
import { type RemoveOldPacesDeps, removeOldPaces } from '../../shared/imports/pacing/remove-old-paces.ts';
import type { AnswerMemory } from '../../shared/kernel/answer-memory.ts';
import { type RemoveOldPoisonDeps, removeOldPoison } from '../../shared/operations/remove-old-poison.ts';
import { type RemoveOldDeliveriesDeps, removeOldDeliveries } from '../../shared/webhooks/remove-old-deliveries.ts';

type Deps = TimerDeps &
  RemoveOldRecordsDeps &
  RemoveOldLinksDeps &
  RemoveOldPacesDeps &
  Parameters<typeof removeOldDirectories>[0] &
  RemoveOldPoisonDeps &
  RemoveOldDeliveriesDeps & { answers: Pick<AnswerMemory, 'removeExpired'> };

/** Once a day: removes what is kept for a time only. */
export function addTidyUpTimer(host: Pick<typeof app, 'timer'>, deps: Deps): void {
  host.timer('tidy-up', {
    schedule: '%EXPIRY_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'tidy-up',
      async handle({ log }) {
        await deps.answers.removeExpired(deps.clock.now());
        await removeOldLinks(deps);
        const auditRecords = await removeOldAuditRecords(deps);
        const deliveries = await removeOldDeliveries(deps);
        const paces = await removeOldPaces(deps);
        const poison = await removeOldPoison(deps);
        const directories = await removeOldDirectories(deps);
        log('info', 'tidied_up', { auditRecords, deliveries, paces, poison, directories });
      },
    }),
  });
}
