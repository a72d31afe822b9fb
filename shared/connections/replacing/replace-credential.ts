import { causes } from '../../causes/causes.ts';
import { classify } from '../../causes/classify.ts';
import type { CustomerActor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Secret } from '../../kernel/secret.ts';
import { changeConnection } from '../change-connection.ts';
import { type Connection, hasOwnApp, type OwnConnection } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';
import type { CertificateVault } from '../credentials/certificate-vault.ts';
import {
  type CredentialKind,
  credentialCauses,
  credentialNames,
  credentialState,
  type OwnCredential,
} from '../credentials/credential.ts';
import { isMade, removeCredential } from '../credentials/credential-vaults.ts';
import type { SecretVault } from '../credentials/secret-vault.ts';
import { expiryOf } from '../expiry/expiring-secrets.ts';
import type { ExpiryIndex } from '../expiry/expiry-index.ts';
import { applyTest, type TestResult } from '../readiness/connection-test.ts';
import { noSuchConnection, requireOwnConnection, usesVendorApp } from '../require-connection.ts';
import { audiencesOf, type Candidate, type Tokens } from '../tokens.ts';

export interface ReplaceDeps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  expiryIndex: Pick<ExpiryIndex, 'put' | 'remove'>;
  vault: Pick<SecretVault, 'put' | 'get' | 'remove'>;
  certificates: Pick<CertificateVault, 'remove'>;
  tokens: Pick<Tokens, 'tryOut' | 'forget'>;
  /** Tests a connection as it is given, and changes nothing. */
  runTest: (connection: Connection) => Promise<{ result: TestResult }>;
  clock: Clock;
  expiringWithinDays: number;
  /** How long a replaced credential can be brought back. */
  replacedSecretKeptMs: number;
}

/**
 * Replaces the credential after Microsoft has issued a token for the new one. If Microsoft refuses it, the old one stays
 * in use. The rest of the connection test runs as well, and the status follows.
 *
 * The old credential stays in its vault for `replacedSecretKeptMs`: other instances use it until they notice, and it can
 * be brought back. One write decides: before it the old credential is in use, after it the new one. The daily timer
 * removes a new one that an interrupted replacement has left in the vault.
 *
 * @param secret what the vault must store first: the Value, or the uploaded certificate with its key
 * @throws DomainError `credentials_rejected` with the cause, `wrong_state` for the vendor's app, `not_found`
 */
export async function replaceCredential(
  deps: ReplaceDeps,
  actor: CustomerActor,
  connectionId: string,
  credential: OwnCredential,
  secret: Secret,
): Promise<Connection> {
  const connection = await requireOwnConnection(deps, actor, connectionId);
  await requireAccepted(deps, connection, { credential, secret });
  const { customerId } = actor;
  const { version, expiresAt, kind } = credential;
  await deps.vault.put({ customerId, connectionId, version }, secret, expiresAt, kind);
  const replaced = await putIntoUse(deps, connection, credential);
  if (replaced) return replaced;
  // The connection was deleted in the meantime.
  await removeCredential(deps, connectionId, credential);
  throw noSuchConnection(connectionId);
}

/**
 * Brings back the credential that was in use before, after Microsoft has issued a token for it. The two change places.
 *
 * @param kind what it must be
 * @throws DomainError `wrong_state` if there is none any more, `credentials_rejected` with the cause, `not_found`
 */
export async function restoreCredential(
  deps: ReplaceDeps,
  actor: CustomerActor,
  connectionId: string,
  kind: CredentialKind,
): Promise<Connection> {
  const connection = await requireOwnConnection(deps, actor, connectionId);
  const { previousCredential } = connection;
  const isKept = previousCredential !== undefined && deps.clock.now() < previousCredential.removeAt;
  if (!isKept || previousCredential.kind !== kind) throw nothingToRestore(kind);
  const { removeAt: _until, ...credential } = previousCredential;
  const secret = isMade(credential) ? undefined : await deps.vault.get(connectionId, credential.version);
  if (!isMade(credential) && !secret) throw nothingToRestore(kind);
  await requireAccepted(deps, connection, { credential, ...(secret && { secret }) });
  const restored = await putIntoUse(deps, connection, credential, (current) => {
    if (current.previousCredential?.version !== credential.version) throw nothingToRestore(kind);
  });
  if (!restored) throw noSuchConnection(connectionId);
  return restored;
}

function nothingToRestore(kind: CredentialKind): DomainError {
  return new DomainError(
    'wrong_state',
    `There is no earlier ${credentialNames[kind]} to bring back. A replaced ${credentialNames[kind]} is kept for a limited time only.`,
  );
}

/** @throws DomainError `credentials_rejected` with the cause */
export async function requireAccepted(
  deps: Pick<ReplaceDeps, 'tokens'>,
  connection: OwnConnection,
  candidate: Candidate,
): Promise<void> {
  const [audience = 'graph'] = audiencesOf(connection.probes);
  const answer = await deps.tokens.tryOut(connection, candidate, audience);
  if (answer.granted) return;
  const cause = classify(answer.refusal);
  const { sentence, fix, link } = causes[cause];
  const whatStays = `The ${credentialNames[connection.credential.kind]} in use stays in use.`;
  throw new DomainError('credentials_rejected', `${sentence} ${whatStays} ${fix}`, {
    members: { cause, fix, link, ...(answer.refusal.code && { microsoftCode: answer.refusal.code }) },
  });
}

/**
 * Makes a credential that Microsoft has accepted the one in use, together with the result of the rest of the test.
 * Resolves to `undefined` if the connection is gone.
 *
 * @param check receives the connection as it is before each write, and may throw to refuse
 */
export async function putIntoUse(
  deps: ReplaceDeps,
  connection: OwnConnection,
  next: OwnCredential,
  check: (current: Connection) => void = () => undefined,
): Promise<Connection | undefined> {
  const { customerId, id } = connection;
  const now = deps.clock.now();
  const withNext = (current: OwnConnection): OwnConnection => {
    const { finding, nextCertificate, ...rest } = current;
    const isOver = finding !== undefined && credentialCauses.has(finding.cause);
    return {
      ...rest,
      ...(finding && !isOver && { finding }),
      ...(isOver && current.status === 'failing' && { status: current.provenAt ? 'ready' : 'awaitingConsent' }),
      ...(nextCertificate && nextCertificate.version !== next.version && { nextCertificate }),
      credential: next,
      credentialState: credentialState(next.expiresAt, now, deps.expiringWithinDays),
      credentialChangedAt: now,
      previousCredential: { ...current.credential, removeAt: new Date(now.getTime() + deps.replacedSecretKeptMs) },
      grantsChangedAt: now,
    };
  };
  const tested = withNext(connection);
  const { result } = await deps.runTest(tested);
  await deps.expiryIndex.put({ ...expiryOf(tested), notedAt: now });
  let before: OwnConnection | undefined;
  const replaced = await changeConnection(deps.connections, customerId, id, (current) => {
    check(current);
    if (!hasOwnApp(current)) throw usesVendorApp();
    before = current;
    const changed = withNext(current);
    return applyTest(changed, changed, result) ?? changed;
  });
  if (replaced && before) await removeOutdated(deps, before, replaced);
  deps.tokens.forget(id);
  return replaced;
}

/** The daily timers remove what this leaves. */
async function removeOutdated(deps: ReplaceDeps, before: OwnConnection, replaced: Connection): Promise<void> {
  const displaced = before.previousCredential;
  if (displaced && displaced.version !== replaced.credential.version) {
    await removeCredential(deps, before.id, displaced).catch(() => undefined);
  }
  if (hasOwnApp(replaced) && before.credential.expiresAt.getTime() !== replaced.credential.expiresAt.getTime()) {
    await deps.expiryIndex.remove(expiryOf(before)).catch(() => undefined);
  }
}
