import type { HttpRequest } from '@azure/functions';
import { type AuthenticationDeps, authenticate, bearerOf } from '../../../shared/edge/admission/authenticate.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { Readiness } from '../../../shared/health/readiness.ts';
import { healthSchema, readinessSchema } from '../accounts/customer-schemas.ts';

interface HealthRouteDeps extends AuthenticationDeps {
  readiness(): Promise<Readiness>;
}

const RETRY_AFTER_SECONDS = 5;

export function addHealthRoutes(api: Api, deps: HealthRouteDeps): void {
  api.publicRoute({
    name: 'health-get',
    method: 'GET',
    path: 'v1/health',
    tag: 'Operations',
    summary: 'See whether the app runs',
    responses: { 200: { description: 'The app runs.', schema: healthSchema } },
    handle: async () => ({ jsonBody: { status: 'ok' } }),
  });

  api.publicRoute({
    name: 'health-ready',
    method: 'GET',
    path: 'v1/health/ready',
    tag: 'Operations',
    summary: 'See whether the app can do its work',
    responses: {
      200: { description: 'Everything answers.', schema: readinessSchema },
      503: {
        description: 'Storage, the vault or the scheduler does not answer. Operators see which one.',
        schema: readinessSchema,
        headers: { 'Retry-After': 'Seconds to wait before you try again.' },
      },
    },
    async handle({ request }) {
      const [{ status, parts }, isOperator] = await Promise.all([deps.readiness(), isOperatorRequest(deps, request)]);
      return {
        status: status === 'ok' ? 200 : 503,
        ...(status !== 'ok' && { headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } }),
        jsonBody: isOperator ? { status, parts } : { status },
      };
    },
  });
}

async function isOperatorRequest(deps: HealthRouteDeps, request: HttpRequest): Promise<boolean> {
  if (bearerOf(request.headers) === undefined) return false;
  // While storage is unavailable, only the operator key from the settings can be verified. Others get the short answer.
  const actor = await authenticate(deps, request).catch(() => undefined);
  return actor?.role === 'operator';
}
