import type { app, HttpHandler } from '@azure/functions';
import { toAnswer, toInit } from '../../../shared/edge/answers/answer.ts';
import { UNKNOWN_ROUTE } from '../../../shared/edge/routes/unknown-route.ts';

/** Long enough for an operator to change a setting. The app then starts again. */
const RETRY_AFTER_SECONDS = 60;

/**
 * Registers what an app answers that cannot start: 503 to everything. Health also says why, so that a deployment and an
 * operator can read it. No queue and no timer is registered, because a half-configured app must not take messages.
 *
 * An app that throws instead has no function at all: the platform answers 404 to everything, which tells customers that
 * what they ask for does not exist.
 *
 * @param reason everyone can read it, so it must name no secret
 */
export function addNotConfigured(host: Pick<typeof app, 'http'>, reason: string): void {
  const explains = answerWith(reason);
  host.http('health-get', { methods: ['GET'], route: 'v1/health', authLevel: 'anonymous', handler: explains });
  host.http('health-ready', { methods: ['GET'], route: 'v1/health/ready', authLevel: 'anonymous', handler: explains });
  const refuses = answerWith('Try again later. GET /v1/health says what is wrong.');
  host.http('not-configured', { ...UNKNOWN_ROUTE, handler: refuses });
}

function answerWith(detail: string): HttpHandler {
  return async (_request, { invocationId }) => {
    const problem = {
      type: 'about:blank',
      title: 'The app is not configured',
      status: 503,
      detail,
      requestId: invocationId,
    };
    const answer = toAnswer({
      status: problem.status,
      headers: { 'content-type': 'application/problem+json', 'retry-after': String(RETRY_AFTER_SECONDS) },
      body: JSON.stringify(problem),
    });
    return toInit(answer, invocationId);
  };
}
