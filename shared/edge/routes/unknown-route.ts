import type { HttpHandler, HttpMethod } from '@azure/functions';
import { DomainError } from '../../kernel/errors.ts';
import { guarded, refused } from '../answers/guarded.ts';
import type { ProblemDeps } from '../answers/problem.ts';

export interface KnownRoute {
  method: HttpMethod;
  /** As Azure Functions takes it: `v1/connections/{connectionId}`. */
  path: string;
}

/**
 * The function that gets every request without a route of its own. The host prefers any other route, and its own
 * `/admin`.
 *
 * `TRACE` is missing: the Functions library never answers it, because it cannot make a `Request` of it.
 */
export const UNKNOWN_ROUTE = {
  name: 'unknown-route',
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as HttpMethod[],
  route: '{*path}',
  authLevel: 'anonymous',
} as const;

/** Answers 405 if the path has routes for other methods, and otherwise 404. */
export function createUnknownRoute(deps: ProblemDeps, known: readonly KnownRoute[]): HttpHandler {
  return (request, context) =>
    guarded(deps, request, context, async (log, requestId) => {
      const { pathname } = new URL(request.url);
      const methods = known.filter(({ path }) => isAt(path, pathname)).map(({ method }) => method);
      // The host may read an unusual path in another way. A 405 that offers the refused method would mislead.
      if (methods.length === 0 || methods.some((method) => method === request.method)) {
        const detail = `There is nothing at this address. The routes of the API are listed at ${deps.publicUrl}/docs.`;
        throw new DomainError('not_found', detail);
      }
      const allow = [...new Set(methods)].sort().join(', ');
      const detail = `This address does not accept ${request.method}. It accepts ${allow}.`;
      const answer = refused(deps, new DomainError('method_not_allowed', detail), requestId, log);
      return { ...answer, headers: { ...answer.headers, allow } };
    });
}

/** Compares like the host: literals ignore case, a parameter is one segment that is not empty, a last slash is ignored. */
function isAt(template: string, pathname: string): boolean {
  const wanted = template.split('/');
  const segments = pathname.replace(/^\//, '').replace(/\/$/, '').split('/');
  return (
    segments.length === wanted.length &&
    wanted.every((part, at) => {
      const segment = segments[at] ?? '';
      return part.startsWith('{') ? segment !== '' : part.toLowerCase() === segment.toLowerCase();
    })
  );
}
