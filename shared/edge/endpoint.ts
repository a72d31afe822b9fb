import type { ReadableStream } from 'node:stream/web';
import type { HttpHandler, HttpRequest, HttpResponseInit } from '@azure/functions';
import type { z } from 'zod';
import type { Actor, CustomerActor, Permission } from '../kernel/actor.ts';
import type { Log } from '../kernel/log.ts';
import type { Page, PageRequest } from '../kernel/page.ts';
import { type Answer, tagged, toAnswer } from './answer.ts';
import { type AuthenticationDeps, actForCustomer, authenticate } from './authenticate.ts';
import { requireMatch } from './etag.ts';
import { guarded, refused } from './guarded.ts';
import { type Attempt, answerOnce, attemptId, type IdempotencyDeps, readIdempotencyKey } from './idempotency.ts';
import { presentPage, type Sign } from './page.ts';
import { type BodyKind, readBody } from './request-body.ts';
import { readQuery } from './request-query.ts';

export { publicEndpoint } from './public-endpoint.ts';

export interface EndpointDeps extends AuthenticationDeps, IdempotencyDeps {
  customers: {
    /** Whether there is such a customer; one that is being deleted is not. */
    exists(customerId: string): Promise<boolean>;
  };
  /** Signs cursors with a key that only we have. */
  sign: Sign;
  http: { jsonBodyMaxBytes: number; answersRememberedMs: number };
}

type CustomerMode = 'required' | 'none';

export interface Endpoint<Body, Query, Mode extends CustomerMode, Kind extends BodyKind> {
  /** What the API key must allow. Stated on every route, so no route is open by omission. */
  permission: Permission;
  /** `required` (the default): the actor acts for one customer; an operator names it in `Muster-Customer`. */
  customer?: Mode;
  /** Of the JSON body. Without it the route takes no body, or `{}`. */
  body?: z.ZodType<Body>;
  /** `stream`: `call.body` is the body as it comes in, of any size and type; the handler judges both. */
  bodyKind?: Kind;
  /** Of the query, `limit` and `cursor` of a list apart. Unknown fields are refused. */
  query?: z.ZodType<Query>;
  /** Whether the route takes `limit` and `cursor`, and answers with `call.answerPage`. */
  list?: boolean;
  /** Top-level fields of the answer that hold a credential: given once, left out when the answer is replayed. */
  redactOnReplay?: readonly string[];
  handle(call: Call<Body, Query, Mode, Kind>): Promise<HttpResponseInit>;
}

export interface Call<Body, Query, Mode extends CustomerMode = 'required', Kind extends BodyKind = 'json'> {
  actor: Mode extends 'none' ? Actor : CustomerActor;
  body: Kind extends 'stream' ? ReadableStream<Uint8Array> : Body;
  query: Query;
  params: HttpRequest['params'];
  /** What to read of a list; pass it on to the store. */
  page: PageRequest;
  /** Answers with a page of a list, its cursor sealed. */
  answerPage<T>(page: Page<T>, present: (item: T) => unknown): HttpResponseInit;
  /**
   * For PATCH, PUT and DELETE: holds `If-Match` against the representation as a GET would give it now; call it between
   * reading the record and the conditional write of it.
   *
   * @throws DomainError `precondition_failed`
   */
  requireMatch(representation: unknown): void;
  request: HttpRequest;
  requestId: string;
  log: Log;
}

/** How much of an upload that was refused is still taken in, so that its sender gets to see why. */
const DISCARD_MAX_BYTES = 128 * 1024 * 1024;

/**
 * Wraps a handler with what every route owes its callers: who is asking, may they, is the input well formed, the same
 * answer for the same `Idempotency-Key`, tags, and one shape of answer when it goes wrong. What it makes never throws:
 * with HTTP streaming on, a handler that throws leaves its caller without any answer.
 */
export function createEndpoint(deps: EndpointDeps) {
  return function endpoint<
    Body = undefined,
    Query = Record<string, never>,
    Mode extends CustomerMode = 'required',
    Kind extends BodyKind = 'json',
  >(route: Endpoint<Body, Query, Mode, Kind>): HttpHandler {
    return (request, context) =>
      guarded(request, context, async (log, requestId) => {
        const actor = await authenticate(deps, request, route.permission);
        const acting = route.customer === 'none' ? actor : await actForCustomer(deps, actor, request);
        log('debug', 'authenticated', { keyId: actor.keyId, role: actor.role, customerId: acting.customerId });
        const { url, query, page, seal } = readQuery(deps, route, request, acting);
        const idempotencyKey = request.method === 'POST' ? readIdempotencyKey(key(request)) : undefined;
        const body = await readBody(deps, route, request, idempotencyKey);

        const work = async (): Promise<Answer> => {
          const init = await route.handle({
            // The three that depend on the route's own modes; TypeScript does not follow them through conditionals.
            actor: acting as Call<Body, Query, Mode, Kind>['actor'],
            body: body.value as Call<Body, Query, Mode, Kind>['body'],
            query: query as Query,
            params: request.params,
            page,
            answerPage: (found, present) => presentPage(found, present, seal),
            requireMatch: (representation) => requireMatch(request.headers.get('if-match'), representation),
            request,
            requestId,
            log,
          });
          // What is given only once has no tag: nobody will ever see that representation again.
          return route.redactOnReplay ? toAnswer(init) : tagged(toAnswer(init), request);
        };
        try {
          if (idempotencyKey === undefined) return await work();
          const attempt: Attempt = {
            owner: acting.customerId ?? acting.keyId,
            id: attemptId(request.method, url.pathname, idempotencyKey),
            ...body.fingerprints(url.search),
            rememberedMs: deps.http.answersRememberedMs,
            redact: route.redactOnReplay ?? [],
          };
          // A refusal is an answer like any other: it is remembered and given again.
          return await answerOnce(deps, attempt, log, () => work().catch((error) => refused(error, requestId, log)));
        } finally {
          await body.streamed?.discardRest(DISCARD_MAX_BYTES).catch(() => undefined);
        }
      });
  };
}

function key(request: HttpRequest): string | null {
  return request.headers.get('idempotency-key');
}
