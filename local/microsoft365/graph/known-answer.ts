import type { World } from '../world.ts';
import { exchangeError, frontDoorError, type GraphAnswer, type GraphCall, tooManyRequests } from './answers.ts';
import { challenge, claimsChallenge } from './challenge.ts';
import { knownErrors } from './known-errors.ts';

export interface Wanted {
  status?: number | undefined;
  message?: string | undefined;
  retryAfterSeconds?: number | undefined;
  /** As the path names the mailbox. */
  user?: string;
}

/** The answer that a code stands for, in the envelope and with the headers that go with it. */
export function knownAnswer(world: World, call: GraphCall, code: string, wanted: Wanted = {}): GraphAnswer {
  const known = knownErrors[code];
  const status = wanted.status ?? known?.status ?? 403;
  const headers: Record<string, string> = {};
  const seconds = wanted.retryAfterSeconds ?? known?.retryAfterSeconds;
  if (seconds !== undefined) headers['Retry-After'] = String(seconds);
  if (known?.claims) headers['WWW-Authenticate'] = claimsChallenge(world, new Date());
  else if (status === 401) headers['WWW-Authenticate'] = challenge(world);
  if (code === 'TooManyRequests' && status === 429 && wanted.message === undefined) {
    return tooManyRequests(call, headers);
  }
  const text = wanted.message ?? known?.message ?? `The request was refused: ${code}.`;
  const message = text.replace('{user}', wanted.user ?? '');
  const name = known?.code ?? code;
  if (known?.frontDoor) return frontDoorError(call, status, name, message, headers);
  return exchangeError(status, name, message, headers);
}
