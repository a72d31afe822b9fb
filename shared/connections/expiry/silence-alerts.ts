import type { CustomerActor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { changeConnection } from '../change-connection.ts';
import { type Connection, hasOwnApp } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';
import { type CredentialKind, credentialNames } from '../credentials/credential.ts';
import { noSuchConnection } from '../require-connection.ts';
import { alertOf, type SecretAlert } from './secret-alert.ts';

interface Deps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  clock: Clock;
}

/**
 * Stops notices about the expiry of a credential until an instant. Thresholds that pass until then are told afterwards,
 * in one notice. That it has expired is told in any case.
 *
 * @param kind what must be in use
 * @throws DomainError `not_found`, `wrong_state` if another credential is in use
 */
export function snoozeAlerts(
  deps: Deps,
  actor: CustomerActor,
  connectionId: string,
  kind: CredentialKind,
  until: Date,
): Promise<Connection> {
  return changeAlert(deps, actor, connectionId, kind, (alert) => ({ ...alert, snoozeEndsAt: until }));
}

/**
 * Stops notices about this credential for good, except that it has expired. A new one has its own notices.
 *
 * @param kind what must be in use
 * @throws DomainError `not_found`, `wrong_state` if another credential is in use
 */
export function acknowledgeAlerts(
  deps: Deps,
  actor: CustomerActor,
  connectionId: string,
  kind: CredentialKind,
): Promise<Connection> {
  const acknowledgedAt = deps.clock.now();
  return changeAlert(deps, actor, connectionId, kind, (alert) => ({ acknowledgedAt, ...alert }));
}

/**
 * Ends a snooze and takes an acknowledgement back.
 *
 * @param kind what must be in use
 * @throws DomainError `not_found`, `wrong_state` if another credential is in use
 */
export function resumeAlerts(
  deps: Deps,
  actor: CustomerActor,
  connectionId: string,
  kind: CredentialKind,
): Promise<Connection> {
  return changeAlert(
    deps,
    actor,
    connectionId,
    kind,
    ({ snoozeEndsAt: _until, acknowledgedAt: _at, ...alert }) => alert,
  );
}

async function changeAlert(
  deps: Deps,
  { customerId }: CustomerActor,
  connectionId: string,
  kind: CredentialKind,
  change: (alert: SecretAlert) => SecretAlert,
): Promise<Connection> {
  const now = deps.clock.now();
  const changed = await changeConnection(deps.connections, customerId, connectionId, (current) => {
    if (!hasOwnApp(current) || current.credential.kind !== kind) throw hasAnother(kind);
    return { ...current, secretAlert: change(alertOf(current, now)) };
  });
  if (!changed) throw noSuchConnection(connectionId);
  return changed;
}

function hasAnother(kind: CredentialKind): DomainError {
  return new DomainError('wrong_state', `This connection has no ${credentialNames[kind]}, but another credential.`);
}
