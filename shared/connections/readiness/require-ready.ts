import type { CauseCode } from '../../causes/causes.ts';
import { explain, type KnownCase } from '../../causes/explain.ts';
import type { CustomerActor } from '../../kernel/actor.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Connection } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';
import { requireConnection } from '../require-connection.ts';
import { decisiveStep } from './connection-test.ts';

/**
 * Resolves to one of the customer's connections if it is `ready`. Otherwise refuses and says how to make it ready.
 *
 * @throws DomainError `not_found`, `connection_not_ready`
 */
export async function requireReadyConnection(
  deps: { connections: ConnectionStore },
  actor: CustomerActor,
  connectionId: string,
): Promise<Connection> {
  const connection = await requireConnection(deps, actor, connectionId);
  requireReady(connection);
  return connection;
}

/** @throws DomainError `connection_not_ready` */
export function requireReady(connection: Connection): void {
  const { status } = connection;
  if (status === 'ready') return;
  const problem = problemOf(connection) ?? {};
  const { cause, detail } = problem;
  const state = `The status of the connection is ${status}, not ready.`;
  if (!cause) {
    const fix =
      'Grant the app consent, then run the connection test (POST …/test). Once it passes, imports are accepted.';
    throw new DomainError('connection_not_ready', `${state} ${fix}`);
  }
  const { sentence, fix, link } = explain(cause, problem);
  const next = /test the connection again/i.test(fix) ? '' : ' Then test the connection again.';
  throw new DomainError('connection_not_ready', `${state} ${detail ?? sentence} ${fix}${next}`, {
    members: { cause, fix, link },
  });
}

/** What is wrong: the problem of the whole connection, or else what its last test has met. */
function problemOf({
  finding,
  lastTest,
}: Connection): (KnownCase & { cause?: CauseCode; detail?: string }) | undefined {
  return finding ?? (lastTest && decisiveStep(lastTest));
}
