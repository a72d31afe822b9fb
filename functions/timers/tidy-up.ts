import type { app } from '@azure/functions';
import { type DeleteCustomerDeps, finishDeletions } from '../../shared/customers/delete-customer.ts';
import { createTimer, type TimerDeps } from '../../shared/edge/timer.ts';
import type { AnswerMemory } from '../../shared/kernel/answer-memory.ts';

type Deps = TimerDeps & Omit<DeleteCustomerDeps, 'answers'> & { answers: AnswerMemory };

/** Once a day: completes interrupted deletions, and removes remembered answers that have expired. */
export function addTidyUpTimer(host: Pick<typeof app, 'timer'>, deps: Deps): void {
  host.timer('tidy-up', {
    schedule: '%EXPIRY_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'tidy-up',
      async handle({ log }) {
        const deletions = await finishDeletions(deps);
        await deps.answers.removeExpired(deps.clock.now());
        log('info', 'tidied_up', { deletions });
      },
    }),
  });
}
