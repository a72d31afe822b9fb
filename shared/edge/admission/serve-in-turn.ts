import type { Actor } from '../../kernel/actor.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { BodyKind } from '../bodies/request-body.ts';
import type { Turns } from './turns.ts';

/** All keys of a customer share a line. Operators have one for each key, whichever customer they act for. */
export function lineOf({ role, keyId, customerId }: Actor): string {
  return role === 'operator' ? keyId : (customerId ?? keyId);
}

/**
 * Serves a request when it is the caller's turn. Connection tests have a line of their own, because they mostly wait for
 * Microsoft, and a few of them would stop everything else that their customer asks for. An upload takes no turn: it lasts
 * as long as its sender likes, and a connection receives one file at a time.
 *
 * @throws DomainError `rate_limited` if too many requests of the caller wait already
 */
export function serveInTurn<T>(
  { turns }: { turns: Pick<Turns, 'take'> },
  { bodyKind, testsConnection }: { bodyKind?: BodyKind; testsConnection: boolean },
  caller: Actor,
  serve: () => Promise<T>,
): Promise<T> {
  if (bodyKind === 'stream') return serve();
  const served = turns.take(`${testsConnection ? 'test ' : ''}${lineOf(caller)}`, serve);
  if (served) return served;
  throw new DomainError(
    'rate_limited',
    'Too many of your requests are waiting. Send the next one when you have the answer to an earlier one.',
    { retryAfterSeconds: 1, context: { policy: 'waiting' } },
  );
}
