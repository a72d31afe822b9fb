import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { type Connection, hasOwnApp } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';
import type { ConsentRequest, ConsentStore } from './consent-store.ts';

export const hashOf = (state: string): string => createHash('sha256').update(state).digest('hex');

/** Makes and stores the state of a step. Only the browser of the admin has it; storage has its hash. */
export async function newState(
  deps: { consents: Pick<ConsentStore, 'insert'>; clock: Clock },
  { customerId, id: connectionId }: Connection,
  request: Pick<ConsentRequest, 'step' | 'signIn' | 'adminId'>,
  validMs: number,
): Promise<{ state: string; expiresAt: Date }> {
  const state = randomBytes(32).toString('base64url');
  const expiresAt = new Date(deps.clock.now().getTime() + validMs);
  await deps.consents.insert({ ...request, stateHash: hashOf(state), customerId, connectionId, expiresAt });
  return { state, expiresAt };
}

/** A link or a step that no longer works, or has never been one. */
export type EndedLink =
  | {
      kind: 'used' | 'expired';
      /** With the vendor's app: no admin has confirmed yet, so the admin must not be told to be done. */
      isUnconfirmed: boolean;
    }
  | { kind: 'unknown' };

/** What to tell an admin whose link no longer works. It is unknown if its connection is gone. */
export async function endedLink(
  deps: { connections: Pick<ConnectionStore, 'get'> },
  kind: 'used' | 'expired',
  { customerId, connectionId }: ConsentRequest,
): Promise<EndedLink> {
  const connection = (await deps.connections.get(customerId, connectionId))?.value;
  if (!connection) return { kind: 'unknown' };
  return { kind, isUnconfirmed: !hasOwnApp(connection) && !connection.adminConfirmation };
}
