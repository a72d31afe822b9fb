import { createHash, randomBytes } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import type { Connection } from '../connection.ts';
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
