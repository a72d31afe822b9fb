import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { changeConnection } from './change-connection.ts';
import type { Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import { noSuchConnection } from './require-connection.ts';
import { alertOf, type SecretAlert } from './secret-alert.ts';

interface Deps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  clock: Clock;
}

/**
 * Stops notices about the expiry of a client secret until an instant. Thresholds that pass until then are told afterwards,
 * in one notice. That the secret has expired is told in any case.
 *
 * @throws DomainError `not_found`
 */
export function snoozeAlerts(deps: Deps, actor: CustomerActor, connectionId: string, until: Date): Promise<Connection> {
  return changeAlert(deps, actor, connectionId, (alert) => ({ ...alert, snoozeEndsAt: until }));
}

/**
 * Stops notices about this client secret for good, except that it has expired. A new secret begins anew.
 *
 * @throws DomainError `not_found`
 */
export function acknowledgeAlerts(deps: Deps, actor: CustomerActor, connectionId: string): Promise<Connection> {
  const acknowledgedAt = deps.clock.now();
  return changeAlert(deps, actor, connectionId, (alert) => ({ acknowledgedAt, ...alert }));
}

/**
 * Ends a snooze and takes an acknowledgement back.
 *
 * @throws DomainError `not_found`
 */
export function resumeAlerts(deps: Deps, actor: CustomerActor, connectionId: string): Promise<Connection> {
  return changeAlert(deps, actor, connectionId, ({ snoozeEndsAt: _until, acknowledgedAt: _at, ...alert }) => alert);
}

async function changeAlert(
  deps: Deps,
  { customerId }: CustomerActor,
  connectionId: string,
  change: (alert: SecretAlert) => SecretAlert,
): Promise<Connection> {
  const now = deps.clock.now();
  const changed = await changeConnection(deps.connections, customerId, connectionId, (current) => ({
    ...current,
    secretAlert: change(alertOf(current, now)),
  }));
  if (!changed) throw noSuchConnection(connectionId);
  return changed;
}
