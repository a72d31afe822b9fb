import type { HttpRequest, HttpResponseInit, InvocationContext } from '@azure/functions';
import type { Actor } from '../../kernel/actor.ts';
import { DomainError, isTransient } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';
import { signal } from '../../kernel/signals.ts';
import { createLog } from '../telemetry/log.ts';
import { traced } from '../telemetry/tracing.ts';
import { type Answer, toAnswer, toInit } from './answer.ts';
import { type ProblemDeps, toProblem } from './problem.ts';

/** What the steps of a request leave for its answer and its log line, whether the request succeeds or not. */
export interface Exchange {
  /** More headers of the answer. They are about this request alone and never stored for a replay. */
  headers: Record<string, string>;
  caller?: Actor;
}

/** Serves a request and turns anything thrown into an answer. Logs one line per request. */
export async function guarded(
  deps: ProblemDeps,
  request: HttpRequest,
  context: InvocationContext,
  serve: (log: Log, requestId: string, exchange: Exchange) => Promise<Answer>,
): Promise<HttpResponseInit> {
  const work = { name: context.functionName, kind: 'server', parent: context.traceContext?.traceParent } as const;
  return traced(work, async (note) => {
    const answer = await answerGuarded(deps, request, context, serve);
    // Neither the path nor the query: they hold addresses, and the codes of consent links.
    note({ 'http.request.method': request.method, 'http.response.status_code': Number(answer.status ?? 200) });
    return answer;
  });
}

async function answerGuarded(
  deps: ProblemDeps,
  request: HttpRequest,
  context: InvocationContext,
  serve: (log: Log, requestId: string, exchange: Exchange) => Promise<Answer>,
): Promise<HttpResponseInit> {
  const requestId = context.invocationId;
  const log = createLog(context, { requestId, route: context.functionName });
  const startedAt = performance.now();
  const exchange: Exchange = { headers: {} };
  let answer: Answer;
  try {
    answer = await serve(log, requestId, exchange);
  } catch (error) {
    answer = refused(deps, error, requestId, log);
  }
  const { keyId, role, customerId } = exchange.caller ?? {};
  signal(log, 'request', {
    method: request.method,
    status: answer.status,
    ms: Math.round(performance.now() - startedAt),
    keyId,
    role,
    customerId,
  });
  return toInit({ ...answer, headers: { ...answer.headers, ...exchange.headers } }, requestId);
}

/** The answer to an error. Logs a defect as an error, a transient failure as a warning, a refusal as info. */
export function refused(deps: ProblemDeps, error: unknown, requestId: string, log: Log): Answer {
  if (isTransient(error)) log('warn', 'request_failed_transiently', { code: error.code, error });
  else if (error instanceof DomainError) log('info', 'request_refused', { code: error.code, ...error.context });
  else log('error', 'request_failed', { error });
  return toAnswer(toProblem(deps, error, requestId));
}
