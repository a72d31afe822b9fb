import { changeConnection } from '../../connections/change-connection.ts';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import { applyScopeCheck } from '../../connections/grants/scope-check.ts';
import { requireConnection } from '../../connections/require-connection.ts';
import type { Clock } from '../../kernel/clock.ts';
import { unasked } from './ask-mailbox.ts';
import type { CheckedScope } from './run-scope-check.ts';

export interface CheckScopeDeps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  /** See `createScopeCheck`. */
  runScopeCheck: (
    connection: Connection,
    offLimits: readonly string[],
    inScope: string | undefined,
  ) => Promise<CheckedScope>;
  /** A mailbox of the connection that passed its check, other than these addresses. */
  findActiveMailbox: (connectionId: string, except: readonly string[]) => Promise<string | undefined>;
  /** Until when the imports of this tenant do not ask Microsoft, because it has asked for a pause. */
  heldUntil: (connection: Connection) => Promise<Date | undefined>;
  clock: Clock;
}

export interface ScopeQuestion {
  offLimits: readonly string[];
  /** A mailbox that the app should be able to use. Absent for the default mailbox, or else one that passed its check. */
  inScope?: string | undefined;
}

/**
 * Asks Microsoft whether the app is refused where it should be. The result is kept on the connection.
 *
 * @throws DomainError `not_found`
 */
export async function checkScope(
  deps: CheckScopeDeps,
  actor: { customerId: string },
  connectionId: string,
  { offLimits, inScope }: ScopeQuestion,
): Promise<{ connection: Connection } & CheckedScope> {
  const connection = await requireConnection(deps, actor, connectionId);
  const control = inScope ?? (await findControl(deps, connection, offLimits));
  const held = await deps.heldUntil(connection);
  const checked = held
    ? notAsked(deps, connection, offLimits, held)
    : await deps.runScopeCheck(connection, offLimits, control);
  const changed = await changeConnection(deps.connections, actor.customerId, connectionId, (current) =>
    applyScopeCheck(current, connection, checked.result),
  );
  return { connection: changed ?? connection, ...checked };
}

async function findControl(
  deps: CheckScopeDeps,
  { id, defaultMailbox }: Connection,
  offLimits: readonly string[],
): Promise<string | undefined> {
  if (defaultMailbox !== undefined && !offLimits.includes(defaultMailbox)) return defaultMailbox;
  return deps.findActiveMailbox(id, offLimits);
}

/** Asking now would slow down the imports of the tenant, and Microsoft would throttle it. */
function notAsked(
  deps: CheckScopeDeps,
  connection: Connection,
  offLimits: readonly string[],
  held: Date,
): CheckedScope {
  const now = deps.clock.now();
  const mailboxes = offLimits.map((address) => unasked(connection, address, 'throttled'));
  return {
    result: { checkedAt: now, verdict: 'inconclusive', cause: 'throttled', offLimits: mailboxes, roles: [] },
    retryAfterSeconds: Math.max(1, Math.ceil((held.getTime() - now.getTime()) / 1000)),
  };
}
