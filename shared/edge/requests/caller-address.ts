import { isIP } from 'node:net';
import type { HttpRequest } from '@azure/functions';

/**
 * The IP address of the caller.
 *
 * App Service appends the address of the socket that it accepted to `X-Forwarded-For`, as its last entry and with the
 * port. Everything before that entry comes from the caller and can be made up, so only the last one counts. With a
 * gateway of our own in front, that is the gateway. The Functions library does not pass on the socket itself, so
 * without the header the address is unknown.
 */
export function callerAddress(request: Pick<HttpRequest, 'headers'>): string | undefined {
  const last = request.headers.get('x-forwarded-for')?.split(',').at(-1)?.trim() ?? '';
  const address = /^\[([^\]]+)\](?::\d+)?$/.exec(last)?.[1] ?? /^([\d.]+):\d+$/.exec(last)?.[1] ?? last;
  return isIP(address) ? address : undefined;
}
