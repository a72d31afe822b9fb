import type { IncomingHttpHeaders } from 'node:http';
import type { HttpRequest } from '@azure/functions';

/** Set by the front end of App Service on every request. A caller cannot know or choose them. */
const frontEndHeaders = ['x-arr-log-id', 'client-ip'] as const;

/**
 * Gives a request the headers that its caller sent, and the parameters of its path.
 *
 * The host passes both on in one table of names, together with the query and the top-level fields of a JSON body. A field
 * named `headers` takes the place of the headers, so a caller could hide them, or make up the address that
 * `X-Forwarded-For` holds. A field with the name of a parameter, in other letters, hides the parameter. So parameters
 * come from the path alone, and headers that are not those that arrived are replaced.
 *
 * @param arrived the headers of the request as the host forwarded it. `undefined` without HTTP streaming, where the
 * library does not use the table
 * @param params the parameters of the path
 */
export function asCallerSent(
  request: HttpRequest,
  arrived: IncomingHttpHeaders | undefined,
  params: Record<string, string>,
): HttpRequest {
  // The library's own properties are getters of its class, so these take precedence.
  Object.defineProperty(request, 'params', { value: params });
  if (arrived && !isCopyOf(arrived, request)) Object.defineProperty(request, 'headers', { value: toHeaders(arrived) });
  return request;
}

/**
 * Whether the headers of the request are a copy of those that arrived. The copy is preferred, because the host replaces
 * `X-Forwarded-For` when it forwards a request: what arrives has the address of the front end.
 */
function isCopyOf(arrived: IncomingHttpHeaders, { headers, query }: HttpRequest): boolean {
  if ([...query.keys()].some((name) => name.toLowerCase() === 'headers')) return false;
  // Every request has `Host`. Without it, the copy was not made of headers.
  if (!headers.has('host')) return false;
  return frontEndHeaders.every((name) => arrived[name] === undefined || headers.get(name) === arrived[name]);
}

function toHeaders(arrived: IncomingHttpHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(arrived)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return headers;
}
