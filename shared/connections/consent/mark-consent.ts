import type { CauseCode } from '../../causes/causes.ts';
import type { ConnectionFinding } from '../../causes/verdict.ts';
import { changeConnection } from '../change-connection.ts';
import type { AdminConfirmation, Connection } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';
import type { Tokens } from '../tokens.ts';
import { type Decline, declineCauses } from './consent-answer.ts';

interface MarkDeps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  tokens: Pick<Tokens, 'forget'>;
}

/** What consent ends, whatever the status is. */
const answeredCauses: ReadonlySet<CauseCode | undefined> = new Set([...declineCauses, 'admin_confirmation_missing']);

/** Stored with the connection, because the person who sent the link does not see the page that the admin sees. */
export async function markDeclined(
  deps: MarkDeps,
  { customerId, id }: Connection,
  { cause, sentence, microsoftCode }: Decline,
  seenAt: Date,
): Promise<void> {
  const finding: ConnectionFinding = {
    cause,
    detail: sentence,
    seenAt,
    ...(microsoftCode !== undefined && { microsoftCode }),
  };
  await changeConnection(deps.connections, customerId, id, (current) =>
    // A connection that already works keeps working with the consent it has.
    current.status === 'awaitingConsent' ? { ...current, finding } : undefined,
  );
}

/**
 * Consent was granted. A connection test must still show that a token carries the permissions.
 *
 * @param confirmation with the vendor's app: who has confirmed
 */
export async function markConsented(
  deps: MarkDeps,
  { customerId, id }: Connection,
  now: Date,
  confirmation?: AdminConfirmation,
): Promise<void> {
  await changeConnection(deps.connections, customerId, id, (current) => {
    const { checksHeldUntil: _held, finding, ...rest } = current;
    // Before the first consent, a finding says no more than that it is missing, or why it was not granted.
    const isAnswered = current.status === 'awaitingConsent' || answeredCauses.has(finding?.cause);
    return {
      ...rest,
      ...(finding && !isAnswered && { finding }),
      consentedAt: now,
      ...(confirmation && { adminConfirmation: confirmation }),
      grantsChangedAt: now,
    };
  });
  // A cached token carries the permissions from before the consent.
  deps.tokens.forget(id);
}
