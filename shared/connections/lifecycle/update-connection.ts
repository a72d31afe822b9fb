import type { Probe } from '../../causes/verdict.ts';
import type { CustomerActor } from '../../kernel/actor.ts';
import { retryLostRaces } from '../../kernel/change-tagged.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { changeConnection } from '../change-connection.ts';
import { type Connection, hasOwnApp, type SendProbe } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';
import { credentialState } from '../credentials/credential.ts';
import { expiryOf } from '../expiry/expiring-secrets.ts';
import type { ExpiryIndex } from '../expiry/expiry-index.ts';
import { applyTest, type TestResult } from '../readiness/connection-test.ts';
import { noSuchConnection, usesVendorApp } from '../require-connection.ts';
import type { Tokens } from '../tokens.ts';

interface Deps {
  connections: Pick<ConnectionStore, 'get' | 'update' | 'updateApp'>;
  expiryIndex: Pick<ExpiryIndex, 'put' | 'remove'>;
  tokens: Pick<Tokens, 'forget'>;
  /** Tests a connection as it is given, and changes nothing. */
  runTest: (connection: Connection) => Promise<{ result: TestResult }>;
  clock: Clock;
  expiringWithinDays: number;
}

interface ConnectionChange {
  name?: string | undefined;
  /** `null` for none. */
  defaultMailbox?: string | null | undefined;
  probes?: Probe[] | undefined;
  sendProbe?: SendProbe | undefined;
  /** Corrects what was typed. The secret stays the same. */
  clientSecretExpiresAt?: Date | undefined;
  /** Another app: the connection awaits consent again, and is tested. */
  clientId?: string | undefined;
  /** The customer has just changed consent or grants: for a while, refusals may be propagation. */
  grantsJustChanged?: true | undefined;
}

/**
 * Changes the fields that are given.
 *
 * @param check receives the current connection before each write, and may throw to refuse
 * @throws DomainError `not_found`, `conflict` if the customer has another connection to this tenant with this app,
 * `wrong_state` for the expiry of a client secret if there is none, and for the app if it is the vendor's
 */
export async function updateConnection(
  deps: Deps,
  actor: CustomerActor,
  connectionId: string,
  change: ConnectionChange,
  check: (connection: Connection) => void,
): Promise<Connection> {
  const { customerId } = actor;
  const now = deps.clock.now();
  const { before, updated } = await retryLostRaces(async () => {
    const found = await deps.connections.get(customerId, connectionId);
    if (!found) throw noSuchConnection(connectionId);
    const { value: current, tag } = found;
    check(current);
    const next = changed(current, change, now, deps.expiringWithinDays);
    const isMoved = hasOtherExpiry(current, next);
    // An index entry without its record is stale, which is harmless. A record without its entry would never be listed.
    if (isMoved && hasOwnApp(next)) await deps.expiryIndex.put({ ...expiryOf(next), notedAt: now });
    const isWritten =
      next.clientId === current.clientId
        ? await deps.connections.update(next, tag)
        : await deps.connections.updateApp(next, tag, current.clientId);
    return isWritten === undefined ? undefined : { before: current, updated: next };
  });
  if (hasOwnApp(before) && hasOtherExpiry(before, updated)) {
    await deps.expiryIndex.remove(expiryOf(before)).catch(() => undefined);
  }
  const isOtherApp = updated.clientId !== before.clientId;
  if (isOtherApp || change.grantsJustChanged) deps.tokens.forget(connectionId);
  return isOtherApp ? await test(deps, updated) : updated;
}

function changed(current: Connection, change: ConnectionChange, now: Date, expiringWithinDays: number): Connection {
  const { grantsJustChanged, defaultMailbox, clientSecretExpiresAt, clientId, ...fields } = change;
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const next: Connection = { ...current, ...given };
  if (defaultMailbox === null) delete next.defaultMailbox;
  else if (defaultMailbox !== undefined) next.defaultMailbox = defaultMailbox;
  if (!hasOwnApp(current) && (clientSecretExpiresAt || clientId !== undefined)) throw usesVendorApp();
  if (clientSecretExpiresAt) {
    if (current.credential.kind !== 'clientSecret') throw readFromCertificate();
    next.credential = { ...current.credential, expiresAt: clientSecretExpiresAt };
    next.credentialState = credentialState(clientSecretExpiresAt, now, expiringWithinDays);
  }
  const isOtherApp = clientId !== undefined && clientId.toLowerCase() !== current.clientId;
  if (grantsJustChanged || isOtherApp) {
    // Nobody has asked Microsoft about the new grants yet, so there is nothing to wait for.
    delete next.checksHeldUntil;
    next.grantsChangedAt = now;
  }
  return isOtherApp ? withOtherApp(next, clientId.toLowerCase()) : next;
}

function hasOtherExpiry(one: Connection, other: Connection): boolean {
  if (!hasOwnApp(one) || !hasOwnApp(other)) return false;
  return one.credential.expiresAt.getTime() !== other.credential.expiresAt.getTime();
}

function readFromCertificate(): DomainError {
  return new DomainError(
    'wrong_state',
    'This connection has a certificate, not a client secret. When it expires is read from the certificate itself.',
  );
}

/** What is known about the former app says nothing about this one. */
function withOtherApp(connection: Connection, clientId: string): Connection {
  const { finding: _finding, lastTest: _test, consentedAt: _consent, provenAt: _proof, ...known } = connection;
  const { lastScopeCheck: _scope, ...rest } = known;
  return { ...rest, clientId, status: 'awaitingConsent' };
}

async function test(deps: Deps, tested: Connection): Promise<Connection> {
  const { result } = await deps.runTest(tested);
  const current = await changeConnection(deps.connections, tested.customerId, tested.id, (connection) =>
    applyTest(connection, tested, result),
  );
  return current ?? tested;
}
