import { causes } from '../causes/causes.ts';
import { classify } from '../causes/classify.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import type { Secret } from '../kernel/secret.ts';
import { changeConnection } from './change-connection.ts';
import { secretState } from './client-secret.ts';
import type { Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import { expiryOf } from './expiring-secrets.ts';
import type { ExpiryIndex } from './expiry-index.ts';
import { noSuchConnection, requireConnection } from './require-connection.ts';
import { newSecretVersion, type SecretVault } from './secret-vault.ts';
import type { Tokens } from './tokens.ts';

interface Deps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  expiryIndex: Pick<ExpiryIndex, 'put' | 'remove'>;
  vault: Pick<SecretVault, 'put' | 'remove'>;
  tokens: Pick<Tokens, 'tryOut' | 'forget'>;
  clock: Clock;
  expiringWithinDays: number;
  /** How long a replaced secret can be brought back. */
  replacedSecretKeptMs: number;
}

/**
 * Replaces the client secret after Microsoft has issued a token for the new one. If Microsoft refuses it, the old
 * secret stays in use. The old one stays in the vault for `replacedSecretKeptMs`: other instances use it until they
 * notice, and it can be brought back.
 *
 * One write decides: before it the old secret is in use, after it the new one. The daily timer removes a new secret that
 * an interrupted replacement has left in the vault.
 *
 * @throws DomainError `credentials_rejected` with the cause, `not_found`
 */
export async function replaceClientSecret(
  deps: Deps,
  actor: CustomerActor,
  connectionId: string,
  input: { clientSecret: Secret; clientSecretExpiresAt: Date },
): Promise<Connection> {
  const connection = await requireConnection(deps, actor, connectionId);
  const now = deps.clock.now();
  const answer = await deps.tokens.tryOut(connection, input.clientSecret, 'graph');
  if (!answer.granted) {
    const code = classify(answer.refusal);
    const { sentence, fix, link } = causes[code];
    throw new DomainError('credentials_rejected', `${sentence} The old secret stays in use. ${fix}`, {
      members: { cause: code, fix, link, ...(answer.refusal.code && { microsoftCode: answer.refusal.code }) },
    });
  }
  const { customerId } = actor;
  const clientSecretVersion = newSecretVersion();
  const secretName = { customerId, connectionId, version: clientSecretVersion };
  await deps.vault.put(secretName, input.clientSecret, input.clientSecretExpiresAt);
  await deps.expiryIndex.put({ ...expiryOf(connection), expiresAt: input.clientSecretExpiresAt, notedAt: now });
  const outdated: Connection[] = [];
  const replaced = await changeConnection(deps.connections, customerId, connectionId, (current) => {
    outdated.push(current);
    return {
      ...current,
      clientSecretVersion,
      previousSecret: {
        version: current.clientSecretVersion,
        expiresAt: current.clientSecretExpiresAt,
        removeAt: new Date(now.getTime() + deps.replacedSecretKeptMs),
      },
      clientSecretExpiresAt: input.clientSecretExpiresAt,
      clientSecretState: secretState(input.clientSecretExpiresAt, now, deps.expiringWithinDays),
      grantsChangedAt: now,
    };
  });
  if (!replaced) {
    // The connection was deleted in the meantime.
    await deps.vault.remove(connectionId, clientSecretVersion);
    throw noSuchConnection(connectionId);
  }
  for (const { previousSecret } of outdated.slice(-1)) {
    if (previousSecret) await deps.vault.remove(connectionId, previousSecret.version).catch(() => undefined);
  }
  // A stale entry is harmless: readers skip it, and the daily timer removes it.
  for (const old of outdated.filter(
    (one) => one.clientSecretExpiresAt.getTime() !== input.clientSecretExpiresAt.getTime(),
  )) {
    await deps.expiryIndex.remove(expiryOf(old)).catch(() => undefined);
  }
  deps.tokens.forget(connectionId);
  return replaced;
}
