import type { app, HttpRequest } from '@azure/functions';
import { type AuthenticationDeps, authenticate, bearerOf } from '../../shared/edge/authenticate.ts';
import { publicEndpoint } from '../../shared/edge/endpoint.ts';
import type { Readiness } from '../../shared/health/readiness.ts';

interface HealthRouteDeps extends AuthenticationDeps {
  readiness(): Promise<Readiness>;
}

const RETRY_AFTER_SECONDS = 5;

export function addHealthRoutes(host: Pick<typeof app, 'http'>, deps: HealthRouteDeps): void {
  host.http('health-get', {
    methods: ['GET'],
    route: 'v1/health',
    authLevel: 'anonymous',
    handler: publicEndpoint({ handle: async () => ({ jsonBody: { status: 'ok' } }) }),
  });

  host.http('health-ready', {
    methods: ['GET'],
    route: 'v1/health/ready',
    authLevel: 'anonymous',
    handler: publicEndpoint({
      async handle({ request }) {
        const [{ status, parts }, isOperator] = await Promise.all([deps.readiness(), isOperatorRequest(deps, request)]);
        return {
          status: status === 'ok' ? 200 : 503,
          ...(status !== 'ok' && { headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } }),
          jsonBody: isOperator ? { status, parts } : { status },
        };
      },
    }),
  });
}

async function isOperatorRequest(deps: HealthRouteDeps, request: HttpRequest): Promise<boolean> {
  if (bearerOf(request.headers) === undefined) return false;
  // While storage is unavailable, only the operator key from the settings can be verified. Others get the short answer.
  const actor = await authenticate(deps, request).catch(() => undefined);
  return actor?.role === 'operator';
}
