import type { app } from '@azure/functions';
import { type PurgeCustomerDeps, purgeDueCustomers } from '../../shared/customers/delete-customer.ts';
import { createTimer, type TimerDeps } from '../../shared/edge/timer.ts';
import type { AnswerMemory } from '../../shared/kernel/answer-memory.ts';

type Deps = TimerDeps & Omit<PurgeCustomerDeps, 'answers'> & { answers: AnswerMemory };

/** Once a day: purges deleted customers whose grace period is over, and removes remembered answers that have expired. */
export function addTidyUpTimer(host: Pick<typeof app, 'timer'>, deps: Deps): void {
  host.timer('tidy-up', {
    schedule: '%EXPIRY_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'tidy-up',
      async handle({ log }) {
        const deletions = await purgeDueCustomers(deps);
        await deps.answers.removeExpired(deps.clock.now());
        log('info', 'tidied_up', { deletions });
      },
    }),
  });
}
