import type { HttpHandler, HttpRequest, HttpResponseInit } from '@azure/functions';
import type { z } from 'zod';
import type { Log } from '../../kernel/log.ts';
import { rateLimitHeaders, refuseExceeded } from '../admission/rate-limit-headers.ts';
import type { RateLimits } from '../admission/rate-limits.ts';
import type { Turns } from '../admission/turns.ts';
import { tagged, toAnswer } from '../answers/answer.ts';
import { type Exchange, guarded } from '../answers/guarded.ts';
import type { Problem, ProblemDeps } from '../answers/problem.ts';
import { callerAddress } from '../requests/caller-address.ts';
import { validate } from '../requests/validate.ts';

interface PublicCall<Query> {
  query: Query;
  params: HttpRequest['params'];
  request: HttpRequest;
  requestId: string;
  log: Log;
}

export interface PublicEndpoint<Query> {
  query?: z.ZodType<Query>;
  handle(call: PublicCall<Query>): Promise<HttpResponseInit>;
  /** Shows a problem to a person in a browser, as a page. Without it, problems are JSON. */
  showProblem?: (problem: Problem) => HttpResponseInit;
}

export interface PublicEndpointDeps extends ProblemDeps {
  rateLimits: Pick<RateLimits, 'countPublicRequest'>;
  turns: Pick<Turns, 'holdRefusal'>;
}

/** Wraps one of the few routes that need no API key. A route becomes public only by this. */
export function createPublicEndpoint(deps: PublicEndpointDeps) {
  return function publicEndpoint<Query = undefined>(route: PublicEndpoint<Query>): HttpHandler {
    return async (request, context) => {
      const init = await guarded(deps, request, context, async (log, requestId, exchange) => {
        await countRequest(deps, context.functionName, request, exchange);
        const query = route.query ? validate(route.query, Object.fromEntries(request.query)) : (undefined as Query);
        const init = await route.handle({ query, params: request.params, request, requestId, log });
        return tagged(toAnswer(init), request);
      });
      return route.showProblem && isProblem(init) ? asPage(init, route.showProblem) : init;
    };
  };
}

const isProblem = ({ headers }: HttpResponseInit) =>
  new Headers((headers ?? {}) as Record<string, string>).get('content-type') === 'application/problem+json';

/** The same status and headers, for example `Retry-After`, with a page in place of the JSON. */
function asPage(init: HttpResponseInit, show: (problem: Problem) => HttpResponseInit): HttpResponseInit {
  const { headers, body } = show(JSON.parse(String(init.body)));
  return { ...init, headers: { ...init.headers, ...headers } as Record<string, string>, body };
}

/**
 * Counts the request against the caller's address. A caller whose address is unknown is not counted: all of them would
 * share one budget, and one of them could lock the others out. App Service always tells the address.
 *
 * @throws DomainError `rate_limited`
 */
async function countRequest(
  deps: PublicEndpointDeps,
  route: string,
  request: HttpRequest,
  exchange: Exchange,
): Promise<void> {
  const address = callerAddress(request);
  if (address === undefined) return;
  const budget = deps.rateLimits.countPublicRequest(route, address);
  Object.assign(exchange.headers, rateLimitHeaders([budget]));
  await refuseExceeded(deps, `address ${address}`, [budget]);
}
