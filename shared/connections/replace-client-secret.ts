import { causes } from '../causes/causes.ts';
import { classify } from '../causes/classify.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import type { Secret } from '../kernel/secret.ts';
import { secretState } from './client-secret.ts';
import type { Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import { refuse, secretFaults } from './register-connection.ts';
import { requireConnection, requireTagged } from './require-connection.ts';
import type { SecretVault } from './secret-vault.ts';
import type { Tokens } from './tokens.ts';

interface Deps {
  connections: ConnectionStore;
  vault: SecretVault;
  tokens: Tokens;
  clock: Clock;
  expiringWithinDays: number;
}

/**
 * Puts a new client secret in the place of the old one, once Microsoft has given a token for it. Until then, and when
 * Microsoft refuses it, the old one stays in use.
 *
 * @throws DomainError `credentials_rejected` with the cause, `validation_failed`, `not_found`
 */
export async function replaceClientSecret(
  needs: Deps,
  actor: CustomerActor,
  connectionId: string,
  input: { clientSecret: Secret; clientSecretExpiresAt: Date },
): Promise<Connection> {
  const connection = await requireConnection(needs, actor, connectionId);
  const now = needs.clock.now();
  refuse(secretFaults(input.clientSecret, input.clientSecretExpiresAt, now));
  const answer = await needs.tokens.tryOut(connection, input.clientSecret, 'graph');
  if (!answer.granted) {
    const code = classify(answer.refusal);
    const { sentence, fix, link } = causes[code];
    throw new DomainError('credentials_rejected', `${sentence} The old secret stays in use. ${fix}`, {
      members: { cause: code, fix, link, ...(answer.refusal.code && { microsoftCode: answer.refusal.code }) },
    });
  }
  const clientSecretVersion = await needs.vault.put(connectionId, input.clientSecret, input.clientSecretExpiresAt);
  for (;;) {
    const { value: current, tag } = await requireTagged(needs, actor, connectionId);
    const next: Connection = {
      ...current,
      clientSecretVersion,
      clientSecretExpiresAt: input.clientSecretExpiresAt,
      clientSecretState: secretState(input.clientSecretExpiresAt, now, needs.expiringWithinDays),
      grantsChangedAt: now,
    };
    if (!(await needs.connections.update(next, tag))) continue;
    needs.tokens.forget(connectionId);
    return next;
  }
}
