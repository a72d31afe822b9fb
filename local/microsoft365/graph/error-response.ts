import type { World } from '../world.ts';
import { challenge, claimsChallenge } from './challenge.ts';
import type { GraphCall } from './graph-call.ts';
import { knownErrors } from './known-errors.ts';
import { exchangeError, frontDoorError, type GraphResponse, tooManyRequests } from './responses.ts';

/** What a scenario says differently from the table of known errors. */
interface ErrorOverrides {
  status?: number | undefined;
  message?: string | undefined;
  retryAfterSeconds?: number | undefined;
  /** The mailbox as the path names it; replaces `{user}` in the message. */
  user?: string;
}

/** The response for an error code, with the envelope and the headers that belong to the code. */
export function errorResponse(
  world: World,
  call: GraphCall,
  code: string,
  overrides: ErrorOverrides = {},
): GraphResponse {
  const known = knownErrors[code];
  const status = overrides.status ?? known?.status ?? 403;
  const headers: Record<string, string> = {};
  const seconds = overrides.retryAfterSeconds ?? known?.retryAfterSeconds;
  if (seconds !== undefined) headers['Retry-After'] = String(seconds);
  if (known?.claims) headers['WWW-Authenticate'] = claimsChallenge(world, new Date());
  else if (status === 401) headers['WWW-Authenticate'] = challenge(world);
  if (code === 'TooManyRequests' && status === 429 && overrides.message === undefined) {
    return tooManyRequests(call, headers);
  }
  const text = overrides.message ?? known?.message ?? `The request was refused: ${code}.`;
  const message = text.replace('{user}', overrides.user ?? '');
  const name = known?.code ?? code;
  if (known?.frontDoor) return frontDoorError(call, status, name, message, headers);
  return exchangeError(status, name, message, headers);
}
