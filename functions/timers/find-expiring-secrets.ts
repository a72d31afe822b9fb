import type { app } from '@azure/functions';
import { type TellDeps, tellExpiringSecrets } from '../../shared/alerts/tell-expiring-secrets.ts';
import type { ConnectionStore } from '../../shared/connections/connection-store.ts';
import { credentialState, daysLeft } from '../../shared/connections/credentials/credential.ts';
import type { VendorApp } from '../../shared/connections/credentials/vendor-app.ts';
import {
  type ExpiringSecret,
  type ExpiryFailed,
  findExpiringSecrets,
} from '../../shared/connections/expiry/expiring-secrets.ts';
import type { ExpiryIndex } from '../../shared/connections/expiry/expiry-index.ts';
import { type ReadRegistrationsDeps, readRegistrations } from '../../shared/connections/expiry/read-registrations.ts';
import { createTimer, type TimerDeps } from '../../shared/edge/background/timer.ts';
import type { Log } from '../../shared/kernel/log.ts';
import { signal } from '../../shared/kernel/signals.ts';

interface Deps extends TimerDeps, TellDeps, ReadRegistrationsDeps {
  connections: ConnectionStore;
  expiryIndex: ExpiryIndex;
  expiringWithinDays: number;
  /** Absent if the deployment has no app of its own. */
  vendorApp: VendorApp | undefined;
}

export function addFindExpiringSecretsTimer(host: Pick<typeof app, 'timer'>, deps: Deps): void {
  host.timer('find-expiring-secrets', {
    schedule: '%EXPIRY_SCHEDULE%',
    handler: createTimer(deps, {
      name: 'find-expiring-secrets',
      async handle({ log }) {
        tellExpiringApp(deps, log);
        const failed: ExpiryFailed = (connection, error) =>
          log('error', 'expiry_not_checked', { ...connection, error });
        // The run is over until tomorrow, so what fails first must not keep people from being told.
        await runAll([
          async () => {
            const registrations = await readRegistrations(deps, log);
            if (registrations) log('info', 'registrations_read', registrations);
          },
          () => findExpiringSecrets(deps, { expiring: (secret) => reportExpiring(log, secret), failed }),
          async () => log('info', 'expiring_secrets_told', { notices: await tellExpiringSecrets(deps, failed) }),
        ]);
      },
    }),
  });
}

/** Runs one after the other, whatever becomes of those before. @throws the first error */
async function runAll(works: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const work of works) await work().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}

function reportExpiring(
  log: Log,
  { customerId, connectionId, credential, daysLeft, state, expiresAt }: ExpiringSecret,
) {
  const name = state === 'expired' ? 'client_secret_expired' : 'client_secret_expiring';
  signal(log, name, { customerId, connectionId, credential, daysLeft, expiresAt: expiresAt.toISOString() });
}

/** For the operator alone: no customer can replace the credential of the app of the service. */
function tellExpiringApp({ vendorApp, clock, expiringWithinDays }: Deps, log: Log): void {
  if (!vendorApp?.expiry) return;
  const { credential, expiresAt } = vendorApp.expiry;
  const now = clock.now();
  if (credentialState(expiresAt, now, expiringWithinDays) === 'valid') return;
  const fields = { credential, daysLeft: daysLeft(expiresAt, now), expiresAt: expiresAt.toISOString() };
  signal(log, 'vendor_app_expiring', fields);
}
