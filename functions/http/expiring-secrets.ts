import type { app } from '@azure/functions';
import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connections/connection-store.ts';
import { listExpiringSecrets } from '../../shared/connections/expiring-secrets.ts';
import { createEndpoint, type EndpointDeps } from '../../shared/edge/endpoint.ts';

interface Deps extends EndpointDeps {
  connections: ConnectionStore;
  expiringWithinDays: number;
}

export function addExpiringSecretRoutes(host: Pick<typeof app, 'http'>, deps: Deps): void {
  host.http('expiring-secrets-list', {
    methods: ['GET'],
    route: 'v1/expiring-secrets',
    authLevel: 'anonymous',
    handler: createEndpoint(deps)({
      permission: 'read',
      // An operator sees the secrets of all customers, everyone else only their own.
      customer: 'none',
      query: z.strictObject({ withinDays: z.coerce.number().int().min(0).max(3650).optional() }),
      async handle({ actor, query, request }) {
        const named = request.headers.get('muster-customer') ?? undefined;
        const customerId = actor.role === 'operator' ? named : actor.customerId;
        const secrets = await listExpiringSecrets(deps, customerId, query.withinDays ?? deps.expiringWithinDays);
        return {
          jsonBody: { items: secrets.map((secret) => ({ ...secret, expiresAt: secret.expiresAt.toISOString() })) },
        };
      },
    }),
  });
}
