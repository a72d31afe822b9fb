import { type Connection, hasOwnApp } from '../../connections/connection.ts';
import { expiryOf } from '../../connections/expiry/expiring-secrets.ts';
import type { ExpiryIndex } from '../../connections/expiry/expiry-index.ts';
import { type ReadRegistrationDeps, readRegistration } from '../../connections/expiry/read-registration.ts';
import type { TestedConnection } from './run-test.ts';
import { withinLimit } from './within-limit.ts';

interface Deps extends ReadRegistrationDeps {
  expiryIndex: Pick<ExpiryIndex, 'put'>;
  /** How long it waits for Microsoft. */
  stepLimitMs: number;
}

/**
 * The same test, which also reads when the client secret really expires, once it has passed. Without an answer, the result
 * is the same.
 *
 * The entry of the index comes before the record that the caller writes. One without a record does no harm.
 */
export function withRegistration(
  deps: Deps,
  test: (connection: Connection) => Promise<TestedConnection>,
): (connection: Connection) => Promise<TestedConnection> {
  return async (connection) => {
    const tested = await test(connection);
    if (tested.result.verdict !== 'passed' || !hasOwnApp(connection)) return tested;
    const answer = await withinLimit(deps.stepLimitMs, readRegistration(deps, connection));
    const registration = answer.answered ? answer.value : undefined;
    if (!registration) return tested;
    const expiresAt = registration.inUse?.expiresAt;
    if (expiresAt) await deps.expiryIndex.put({ ...expiryOf(connection), expiresAt, notedAt: deps.clock.now() });
    return { ...tested, result: { ...tested.result, registration } };
  };
}
