import type { Probe } from '../causes/verdict.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { changeConnection } from './change-connection.ts';
import type { Connection, SendProbe } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import { noSuchConnection } from './require-connection.ts';
import type { Tokens } from './tokens.ts';

interface Deps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  tokens: Pick<Tokens, 'forget'>;
  clock: Clock;
}

interface ConnectionChange {
  name?: string | undefined;
  defaultMailbox?: string | undefined;
  probes?: Probe[] | undefined;
  sendProbe?: SendProbe | undefined;
  /** The customer has just changed consent or grants: for a while, refusals may be propagation. */
  grantsJustChanged?: true | undefined;
}

/**
 * Changes the fields that are given.
 *
 * @param check receives the current connection before each write, and may throw to refuse
 * @throws DomainError `not_found`
 */
export async function updateConnection(
  deps: Deps,
  actor: CustomerActor,
  connectionId: string,
  change: ConnectionChange,
  check: (connection: Connection) => void,
): Promise<Connection> {
  const { grantsJustChanged, ...fields } = change;
  const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const updated = await changeConnection(deps.connections, actor.customerId, connectionId, (current) => {
    check(current);
    const next = { ...current, ...given };
    if (!grantsJustChanged) return next;
    // Nobody has asked Microsoft about the new grants yet, so there is nothing to wait for.
    const { checksHeldUntil: _held, ...rest } = next;
    return { ...rest, grantsChangedAt: deps.clock.now() };
  });
  if (!updated) throw noSuchConnection(connectionId);
  if (grantsJustChanged) deps.tokens.forget(connectionId);
  return updated;
}
