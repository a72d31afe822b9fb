import { changeConnection } from '../connections/change-connection.ts';
import { type Connection, hasOwnApp } from '../connections/connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import { credentialStateOf, daysLeft } from '../connections/credentials/credential.ts';
import type { ExpiryFailed } from '../connections/expiry/expiring-secrets.ts';
import { alertOf } from '../connections/expiry/secret-alert.ts';
import { addHappenings, secretHappening } from '../connections/happenings.ts';
import type { Clock } from '../kernel/clock.ts';
import { type AlertSettings, type AlertSettingsStore, readAlertSettings } from './alert-settings.ts';
import { decideNotice, told } from './decide-notice.ts';

export interface TellDeps {
  connections: Pick<ConnectionStore, 'listAll' | 'get' | 'update'>;
  alertSettings: Pick<AlertSettingsStore, 'get'>;
  clock: Clock;
}

/**
 * The daily run: notes, for every credential that has reached a threshold, that people must be told. The same write
 * remembers that they were, so a crash neither loses a notice nor tells it twice. Repeatable. Resolves to how many
 * notices there are. One that fails does not hold up the others.
 *
 * @param failed receives each connection about which nobody could be told. The next run tries it again
 */
export async function tellExpiringSecrets(deps: TellDeps, failed: ExpiryFailed): Promise<number> {
  let settings: AlertSettings | undefined;
  let notices = 0;
  // The connections of a customer come one after the other.
  for await (const { customerId, id } of deps.connections.listAll()) {
    try {
      if (settings?.customerId !== customerId) settings = await readAlertSettings(deps, customerId);
      if (await tell(deps, settings, customerId, id)) notices++;
    } catch (error) {
      failed({ customerId, connectionId: id }, error);
    }
  }
  return notices;
}

async function tell(deps: TellDeps, settings: AlertSettings, customerId: string, id: string): Promise<boolean> {
  const now = deps.clock.now();
  let isTold = false;
  const found = await deps.connections.get(customerId, id);
  // Most connections have nothing to tell, and are only read.
  if (!found || !withNotice(found.value, settings, now)) return false;
  await changeConnection(deps.connections, customerId, id, (current) => {
    const next = withNotice(current, settings, now);
    isTold = next !== undefined && next.happenings !== current.happenings;
    return next;
  });
  return isTold;
}

/** The connection with the notice that is due, or with the start of its lifetime; `undefined` if nothing is new. */
function withNotice(connection: Connection, settings: AlertSettings, now: Date): Connection | undefined {
  if (!hasOwnApp(connection)) return undefined;
  const alert = alertOf(connection, now);
  const isExpired = credentialStateOf(connection, now, 0) === 'expired';
  const notice = decideNotice(alert, settings, now, isExpired);
  if (!notice) return alert === connection.secretAlert ? undefined : { ...connection, secretAlert: alert };
  const { expiresAt } = alert;
  const expiry = {
    expiresAt,
    daysLeft: daysLeft(expiresAt, now),
    ...(notice.type === 'secret.expiring' && { threshold: notice.threshold }),
  };
  const happened = secretHappening(connection, notice.type, now, expiry);
  return addHappenings({ ...connection, secretAlert: told(alert, notice, now) }, [happened]);
}
