import { causes } from '../causes/causes.ts';
import { classify } from '../causes/classify.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import type { Secret } from '../kernel/secret.ts';
import { changeConnection } from './change-connection.ts';
import { credentialCauses, secretState } from './client-secret.ts';
import type { Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import { applyTest, type TestResult } from './connection-test.ts';
import { expiryOf } from './expiring-secrets.ts';
import type { ExpiryIndex } from './expiry-index.ts';
import { noSuchConnection, requireConnection } from './require-connection.ts';
import { newSecretVersion, type SecretVault } from './secret-vault.ts';
import { audiencesOf, type Tokens } from './tokens.ts';

export interface ReplaceDeps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  expiryIndex: Pick<ExpiryIndex, 'put' | 'remove'>;
  vault: Pick<SecretVault, 'put' | 'get' | 'remove'>;
  tokens: Pick<Tokens, 'tryOut' | 'forget'>;
  /** Tests a connection as it is given, and changes nothing. */
  runTest: (connection: Connection) => Promise<{ result: TestResult }>;
  clock: Clock;
  expiringWithinDays: number;
  /** How long a replaced secret can be brought back. */
  replacedSecretKeptMs: number;
}

/** A secret in the vault that is about to be used. */
interface NextSecret {
  version: string;
  expiresAt: Date;
}

/**
 * Replaces the client secret after Microsoft has issued a token for the new one. If Microsoft refuses it, the old
 * secret stays in use. The rest of the connection test runs as well, and the status follows.
 *
 * The old secret stays in the vault for `replacedSecretKeptMs`: other instances use it until they notice, and it can be
 * brought back. One write decides: before it the old secret is in use, after it the new one. The daily timer removes a new
 * secret that an interrupted replacement has left in the vault.
 *
 * @throws DomainError `credentials_rejected` with the cause, `not_found`
 */
export async function replaceClientSecret(
  deps: ReplaceDeps,
  actor: CustomerActor,
  connectionId: string,
  input: { clientSecret: Secret; clientSecretExpiresAt: Date },
): Promise<Connection> {
  const connection = await requireConnection(deps, actor, connectionId);
  await requireAccepted(deps, connection, input.clientSecret, 'The old secret stays in use.');
  const next = { version: newSecretVersion(), expiresAt: input.clientSecretExpiresAt };
  const { customerId } = actor;
  await deps.vault.put({ customerId, connectionId, version: next.version }, input.clientSecret, next.expiresAt);
  const replaced = await putIntoUse(deps, connection, next);
  if (replaced) return replaced;
  // The connection was deleted in the meantime.
  await deps.vault.remove(connectionId, next.version);
  throw noSuchConnection(connectionId);
}

/**
 * Brings back the secret that was in use before, after Microsoft has issued a token for it. The two change places.
 *
 * @throws DomainError `wrong_state` if there is none any more, `credentials_rejected` with the cause, `not_found`
 */
export async function restoreClientSecret(
  deps: ReplaceDeps,
  actor: CustomerActor,
  connectionId: string,
): Promise<Connection> {
  const connection = await requireConnection(deps, actor, connectionId);
  const { previousSecret } = connection;
  const isKept = previousSecret !== undefined && deps.clock.now() < previousSecret.removeAt;
  const secret = isKept ? await deps.vault.get(connectionId, previousSecret.version) : undefined;
  if (!previousSecret || !secret) throw nothingToRestore();
  await requireAccepted(deps, connection, secret, 'The secret in use stays in use.');
  const restored = await putIntoUse(deps, connection, previousSecret, (current) => {
    if (current.previousSecret?.version !== previousSecret.version) throw nothingToRestore();
  });
  if (!restored) throw noSuchConnection(connectionId);
  return restored;
}

function nothingToRestore(): DomainError {
  return new DomainError(
    'wrong_state',
    'There is no earlier client secret to bring back. A replaced secret is kept for a limited time only.',
  );
}

async function requireAccepted(
  deps: Pick<ReplaceDeps, 'tokens'>,
  connection: Connection,
  secret: Secret,
  whatStays: string,
): Promise<void> {
  const [audience = 'graph'] = audiencesOf(connection.probes);
  const answer = await deps.tokens.tryOut(connection, secret, audience);
  if (answer.granted) return;
  const cause = classify(answer.refusal);
  const { sentence, fix, link } = causes[cause];
  throw new DomainError('credentials_rejected', `${sentence} ${whatStays} ${fix}`, {
    members: { cause, fix, link, ...(answer.refusal.code && { microsoftCode: answer.refusal.code }) },
  });
}

/**
 * Makes a secret that Microsoft has accepted the one in use, together with the result of the rest of the test. Resolves to
 * `undefined` if the connection is gone.
 */
async function putIntoUse(
  deps: ReplaceDeps,
  connection: Connection,
  next: NextSecret,
  check: (current: Connection) => void = () => undefined,
): Promise<Connection | undefined> {
  const { customerId, id } = connection;
  const now = deps.clock.now();
  const withNext = (current: Connection): Connection => {
    const { finding, ...rest } = current;
    const isOver = finding !== undefined && credentialCauses.has(finding.cause);
    return {
      ...rest,
      ...(finding && !isOver && { finding }),
      ...(isOver && current.status === 'failing' && { status: current.provenAt ? 'ready' : 'awaitingConsent' }),
      clientSecretVersion: next.version,
      clientSecretExpiresAt: next.expiresAt,
      clientSecretState: secretState(next.expiresAt, now, deps.expiringWithinDays),
      clientSecretChangedAt: now,
      previousSecret: {
        version: current.clientSecretVersion,
        expiresAt: current.clientSecretExpiresAt,
        removeAt: new Date(now.getTime() + deps.replacedSecretKeptMs),
      },
      grantsChangedAt: now,
    };
  };
  const tested = withNext(connection);
  const { result } = await deps.runTest(tested);
  await deps.expiryIndex.put({ ...expiryOf(tested), notedAt: now });
  let before: Connection | undefined;
  const replaced = await changeConnection(deps.connections, customerId, id, (current) => {
    check(current);
    before = current;
    const changed = withNext(current);
    return applyTest(changed, changed, result) ?? changed;
  });
  if (replaced && before) await removeOutdated(deps, before, replaced);
  deps.tokens.forget(id);
  return replaced;
}

/** The daily timers remove what this leaves. */
async function removeOutdated(deps: ReplaceDeps, before: Connection, replaced: Connection): Promise<void> {
  const displaced = before.previousSecret?.version;
  if (displaced !== undefined && displaced !== replaced.clientSecretVersion) {
    await deps.vault.remove(before.id, displaced).catch(() => undefined);
  }
  if (before.clientSecretExpiresAt.getTime() !== replaced.clientSecretExpiresAt.getTime()) {
    await deps.expiryIndex.remove(expiryOf(before)).catch(() => undefined);
  }
}
