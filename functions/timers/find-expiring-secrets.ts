import type { app } from '@azure/functions';
import { type TellDeps, tellExpiringSecrets } from '../../shared/alerts/tell-expiring-secrets.ts';
import type { ConnectionStore } from '../../shared/connections/connection-store.ts';
import { findExpiringSecrets } from '../../shared/connections/expiring-secrets.ts';
import type { ExpiryIndex } from '../../shared/connections/expiry-index.ts';
import { type ReadRegistrationsDeps, readRegistrations } from '../../shared/connections/read-registrations.ts';
import { createTimer, type TimerDeps } from '../../shared/edge/timer.ts';
import { signal } from '../../shared/kernel/signals.ts';

interface Deps extends TimerDeps, TellDeps, ReadRegistrationsDeps {
  connections: ConnectionStore;
  expiryIndex: ExpiryIndex;
  expiringWithinDays: number;
}

export function addFindExpiringSecretsTimer(host: Pick<typeof app, 'timer'>, deps: Deps): void {
  host.timer('find-expiring-secrets', {
    schedule: '%EXPIRY_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'find-expiring-secrets',
      async handle({ log }) {
        const registrations = await readRegistrations(deps, log);
        if (registrations) log('info', 'registrations_read', registrations);
        await findExpiringSecrets(deps, ({ customerId, connectionId, credential, daysLeft, state, expiresAt }) => {
          const name = state === 'expired' ? 'client_secret_expired' : 'client_secret_expiring';
          signal(log, name, { customerId, connectionId, credential, daysLeft, expiresAt: expiresAt.toISOString() });
        });
        const notices = await tellExpiringSecrets(deps);
        log('info', 'expiring_secrets_told', { notices });
      },
    }),
  });
}
