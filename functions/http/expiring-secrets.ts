import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connections/connection-store.ts';
import { listExpiringSecrets } from '../../shared/connections/expiring-secrets.ts';
import type { Api } from '../../shared/edge/api.ts';
import type { EndpointDeps } from '../../shared/edge/endpoint.ts';
import { expiringSecretsSchema } from './connection-schemas.ts';

interface Deps extends EndpointDeps {
  connections: ConnectionStore;
  expiringWithinDays: number;
}

export function addExpiringSecretRoutes(api: Api, deps: Deps): void {
  api.route({
    name: 'expiring-secrets-list',
    method: 'GET',
    path: 'v1/expiring-secrets',
    tag: 'Connections',
    summary: 'List client secrets that expire soon',
    responses: { 200: { description: 'The secrets, soonest first.', schema: expiringSecretsSchema } },
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
  });
}
