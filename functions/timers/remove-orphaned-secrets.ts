import type { app } from '@azure/functions';
import { type OrphanedSecretsDeps, removeOrphanedSecrets } from '../../shared/connections/remove-orphaned-secrets.ts';
import { createTimer, type TimerDeps } from '../../shared/edge/timer.ts';

/** Once a day: removes the secrets in the vault that nothing can use any more. */
export function addRemoveOrphanedSecretsTimer(
  host: Pick<typeof app, 'timer'>,
  deps: TimerDeps & OrphanedSecretsDeps,
): void {
  host.timer('remove-orphaned-secrets', {
    schedule: '%EXPIRY_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'remove-orphaned-secrets',
      async handle({ log }) {
        const { secrets, removed } = await removeOrphanedSecrets(deps, ({ customerId, connectionId }) =>
          log('warn', 'orphaned_secret_removed', { customerId, connectionId }),
        );
        log('info', 'orphaned_secrets_searched', { secrets, removed });
      },
    }),
  });
}
