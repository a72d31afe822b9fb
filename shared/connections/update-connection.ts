import type { Probe } from '../causes/verdict.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Connection, SendProbe } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import { requireTagged } from './require-connection.ts';
import type { Tokens } from './tokens.ts';

export interface ConnectionChange {
  name?: string | undefined;
  defaultMailbox?: string | undefined;
  probes?: Probe[] | undefined;
  sendProbe?: SendProbe | undefined;
  /** The customer says that consent or grants were just changed: refusals may be propagation for a while. */
  grantsJustChanged?: true | undefined;
}

/**
 * Changes what is given. `check` sees the connection as it is, and may refuse.
 *
 * @throws DomainError `not_found`
 */
export async function updateConnection(
  needs: { connections: ConnectionStore; tokens: Pick<Tokens, 'forget'>; clock: Clock },
  actor: CustomerActor,
  connectionId: string,
  change: ConnectionChange,
  check: (connection: Connection) => void,
): Promise<Connection> {
  for (;;) {
    const { value: connection, tag } = await requireTagged(needs, actor, connectionId);
    check(connection);
    const { grantsJustChanged, ...fields } = change;
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    const { quietUntil, ...rest } = connection;
    const next: Connection = {
      ...rest,
      ...given,
      // What is new has not been asked about yet: nothing is gained by keeping quiet.
      ...(grantsJustChanged ? { grantsChangedAt: needs.clock.now() } : quietUntil && { quietUntil }),
    };
    if (!(await needs.connections.update(next, tag))) continue;
    if (grantsJustChanged) needs.tokens.forget(connectionId);
    return next;
  }
}
