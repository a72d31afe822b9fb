import type { HttpHandler, HttpRequest, HttpResponseInit } from '@azure/functions';
import type { z } from 'zod';
import type { Log } from '../kernel/log.ts';
import { tagged, toAnswer } from './answer.ts';
import { guarded } from './guarded.ts';
import type { ProblemDeps } from './problem.ts';
import { validate } from './validate.ts';

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
}

/** Wraps one of the few routes that need no API key. A route becomes public only by this. */
export function createPublicEndpoint(deps: ProblemDeps) {
  return function publicEndpoint<Query = undefined>(route: PublicEndpoint<Query>): HttpHandler {
    return (request, context) =>
      guarded(deps, request, context, async (log, requestId) => {
        const query = route.query ? validate(route.query, Object.fromEntries(request.query)) : (undefined as Query);
        const init = await route.handle({ query, params: request.params, request, requestId, log });
        return tagged(toAnswer(init), request);
      });
  };
}
