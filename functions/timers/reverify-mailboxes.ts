import type { app } from '@azure/functions';
import { createTimer, type TimerDeps } from '../../shared/edge/background/timer.ts';
import { type ReverifyDeps, reverifyMailboxes } from '../../shared/imports/reverifying/reverify-mailboxes.ts';

/** Starts checks of the mailboxes whose last check is long ago. */
export function addReverifyMailboxesTimer(host: Pick<typeof app, 'timer'>, deps: ReverifyDeps & TimerDeps): void {
  host.timer('reverify-mailboxes', {
    schedule: '%RETENTION_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'reverify-mailboxes',
      async handle({ log }) {
        const result = await reverifyMailboxes(deps, log);
        if (result) log('info', 'mailboxes_reverified', { ...result });
      },
    }),
  });
}
