import type { ReadableStream } from 'node:stream/web';
import type { HttpHandler, HttpRequest, HttpResponseInit } from '@azure/functions';
import type { z } from 'zod';
import type { Actor, CustomerActor, Permission } from '../../kernel/actor.ts';
import { createFieldFaults } from '../../kernel/field-faults.ts';
import { createRepeatableIds, type NewId } from '../../kernel/ids.ts';
import type { Log } from '../../kernel/log.ts';
import type { Page, PageRequest } from '../../kernel/page.ts';
import { type AdmissionDeps, admit, admitCostly } from '../admission/admit.ts';
import { type AuditDeps, audited } from '../admission/audited.ts';
import { isStillValid } from '../admission/authenticate.ts';
import { serveInTurn } from '../admission/serve-in-turn.ts';
import { type Answer, tagged, toAnswer } from '../answers/answer.ts';
import { requireMatch } from '../answers/etag.ts';
import { guarded, refused } from '../answers/guarded.ts';
import {
  type Attempt,
  answerOnce,
  attemptId,
  type IdempotencyDeps,
  readIdempotencyKey,
} from '../answers/idempotency.ts';
import type { ProblemDeps } from '../answers/problem.ts';
import { type BodyKind, readBody } from '../bodies/request-body.ts';
import { presentPage, type Signer } from '../requests/page.ts';
import { readParams } from '../requests/params.ts';
import { readQuery } from '../requests/request-query.ts';
import { type DownloadDeps, serveDownload } from '../streaming/download.ts';
import { answerEvents, type EventStreamDeps, type ServerEvent } from '../streaming/event-stream.ts';

/** Its `Signer` signs cursors and seeds of IDs with a key that only the app has. */
export interface EndpointDeps
  extends AdmissionDeps,
    IdempotencyDeps,
    AuditDeps,
    DownloadDeps,
    EventStreamDeps,
    ProblemDeps,
    Signer {
  newId: NewId;
  http: { jsonBodyMaxBytes: number; answersRememberedMs: number };
}

type CustomerMode = 'required' | 'none';

export interface Endpoint<Body, Query, Mode extends CustomerMode, Kind extends BodyKind> {
  /** What the API key must allow. Required, so no route is public by omission. */
  permission: Permission;
  /** `required` (the default): the actor acts for one customer. An operator names it in `Muster-Customer`. */
  customer?: Mode;
  /** The schema of the JSON body. Without it the route accepts no body, or `{}`. */
  body?: z.ZodType<Body>;
  /** `stream`: `call.body` is the incoming stream, of any size and type. The handler checks both. */
  bodyKind?: Kind;
  /** The schema of the query, without `limit` and `cursor`. Unknown fields are refused. */
  query?: z.ZodType<Query>;
  /** Whether the route accepts `limit` and `cursor` and answers with `call.answerPage`. */
  list?: boolean;
  /** Whether the route accepts a `cursor`, to go on where an earlier request stopped. Its answer has `call.sealCursor`. */
  continues?: boolean;
  /**
   * Whether the request asks Microsoft and the vault, past every cache. Each customer has a small budget for that. A
   * function says so for one body.
   */
  testsConnection?: boolean | ((body: Body) => boolean);
  /**
   * Whether the request makes a key in the vault. A vault makes few keys a minute for everyone, so each customer has a
   * budget of its own for them. A function says so for one body.
   */
  makesKey?: boolean | ((body: Body) => boolean);
  /** Whether the answer is a stream that lasts as long as its client likes. Each customer has a few places for them. */
  isDownload?: boolean;
  /** Whether the request changes anything and so leaves an audit record. By default everything but GET does. */
  changes?: (query: Query) => boolean;
  /** Top-level fields of the answer that contain a credential. They are left out when the answer is replayed. */
  redactOnReplay?: readonly string[];
  handle(call: Call<Body, Query, Mode, Kind>): Promise<HttpResponseInit>;
}

interface Call<Body, Query, Mode extends CustomerMode = 'required', Kind extends BodyKind = 'json'> {
  actor: Mode extends 'none' ? Actor : CustomerActor;
  body: Kind extends 'stream' ? ReadableStream<Uint8Array> : Body;
  query: Query;
  params: HttpRequest['params'];
  /** Which page of a list to read. Pass it on to the store. */
  page: PageRequest;
  /** Answers with a page of a list and signs its cursor. */
  answerPage<T>(page: Page<T>, present: (item: T) => unknown): HttpResponseInit;
  /** Makes the `nextCursor` of an answer. It works only for the same route, queries and caller. */
  sealCursor(inner: string): string;
  /**
   * Answers with server-sent events, for some minutes at most, and not for longer than the API key works. The stream takes no turn of the caller's other requests, but
   * one of its places for streams. The signal is aborted when the stream ends.
   *
   * @throws DomainError `rate_limited` if all places of the caller are taken
   */
  answerEvents(open: (signal: AbortSignal) => AsyncIterable<readonly ServerEvent[]>): HttpResponseInit;
  /**
   * For PATCH, PUT and DELETE: compares `If-Match` with the representation that a GET would return now. Call it between
   * reading the record and writing it conditionally.
   *
   * @throws DomainError `precondition_failed`
   */
  requireMatch(representation: unknown): void;
  /** Makes IDs for new records. A request that is repeated with its `Idempotency-Key` gets the same ones again. */
  newId: NewId;
  request: HttpRequest;
  requestId: string;
  log: Log;
}

/** How much of a refused upload is read and thrown away. Most clients read the answer only after they have sent all. */
const DISCARD_MAX_BYTES = 128 * 1024 * 1024;

/**
 * Wraps a route's handler with what every route needs: authentication, authorization, validation, idempotency, `ETag`s
 * and RFC 9457 problems. The wrapped handler never throws: with HTTP streaming on, the host sends no answer at all for
 * a handler that throws.
 */
export function createEndpoint(deps: EndpointDeps) {
  return function endpoint<
    Body = undefined,
    Query = Record<string, never>,
    Mode extends CustomerMode = 'required',
    Kind extends BodyKind = 'json',
  >(route: Endpoint<Body, Query, Mode, Kind>): HttpHandler {
    return (request, context) =>
      guarded(deps, request, context, async (log, requestId, exchange) => {
        const acting = await admit(deps, route, request, exchange);
        const params = readParams(request.params);
        const faults = createFieldFaults();
        const { url, query, page, seal } = readQuery(deps, route, request, acting, faults);
        const idempotencyKey =
          request.method === 'POST' ? readIdempotencyKey(request.headers.get('idempotency-key'), faults) : undefined;
        const body = await readBody(deps, route, request, idempotencyKey, faults);

        const handle = async (newId: NewId): Promise<Answer> => {
          const init = await route.handle({
            // The types of these three depend on the route's modes. TypeScript cannot infer that, hence the casts.
            actor: acting as Call<Body, Query, Mode, Kind>['actor'],
            body: body.value as Call<Body, Query, Mode, Kind>['body'],
            query: query as Query,
            params,
            page,
            answerPage: (found, present) => presentPage(found, present, seal),
            sealCursor: seal,
            answerEvents: (open) =>
              answerEvents(deps, acting, context, open, () => isStillValid(deps, request.headers)),
            requireMatch: (representation) => requireMatch(request.headers.get('if-match'), representation),
            newId,
            request,
            requestId,
            log,
          });
          // An answer with a credential has no tag: no later request returns the same representation.
          return route.redactOnReplay ? toAnswer(init) : tagged(toAnswer(init), request);
        };
        const attempted = { route: context.functionName, request, requestId, actor: acting };
        const work = (newId: NewId) => {
          const isChange = route.changes?.(query as Query) ?? request.method !== 'GET';
          return isChange ? audited(deps, attempted, log, () => handle(newId)) : handle(newId);
        };
        const answer = () => {
          if (idempotencyKey === undefined) return work(deps.newId);
          const attempt: Attempt = {
            owner: acting.customerId ?? acting.keyId,
            customerId: params.customerId,
            id: attemptId(request.method, url.pathname, idempotencyKey),
            ...body.fingerprints(url.search),
            rememberedMs: deps.http.answersRememberedMs,
            redact: route.redactOnReplay ?? [],
          };
          // A refusal is stored and replayed like any other answer.
          return answerOnce(deps, attempt, log, (begunAt) => {
            const seed = deps.sign(`ids\n${attempt.owner}\n${attempt.id}`);
            return work(createRepeatableIds(seed, begunAt)).catch((error) => refused(deps, error, requestId, log));
          });
        };
        try {
          faults.refuse();
          const isTrue = (of: boolean | ((value: Body) => boolean) = false) =>
            typeof of === 'function' ? of(body.value as Body) : of;
          const testsConnection = isTrue(route.testsConnection);
          if (testsConnection) await admitCostly(deps, 'countConnectionTest', acting, exchange);
          if (isTrue(route.makesKey)) await admitCostly(deps, 'countMadeKey', acting, exchange);
          const inTurn = () => serveInTurn(deps, { ...route, testsConnection }, acting, answer);
          return await (route.isDownload ? serveDownload(deps, acting, context, inTurn) : inTurn());
        } finally {
          await body.streamed?.discardRest(DISCARD_MAX_BYTES).catch(() => undefined);
        }
      });
  };
}
