import { z } from 'zod';
import { listExpiringSecrets } from '../../shared/connections/expiring-secrets.ts';
import type { Api } from '../../shared/edge/api.ts';
import { actForCustomer, namedCustomer } from '../../shared/edge/authenticate.ts';
import type { EndpointDeps } from '../../shared/edge/endpoint.ts';
import { expiringSecretsSchema } from './connection-schemas.ts';

type Deps = EndpointDeps & Parameters<typeof listExpiringSecrets>[0] & { expiringWithinDays: number };

export function addExpiringSecretRoutes(api: Api, deps: Deps): void {
  api.route({
    name: 'expiring-secrets-list',
    method: 'GET',
    path: 'v1/expiring-secrets',
    tag: 'Connections',
    summary: 'List client secrets that expire soon',
    refusals: ['not_found'],
    responses: { 200: { description: 'One page of secrets, soonest first.', schema: expiringSecretsSchema } },
    permission: 'read',
    // An operator sees the secrets of all customers, everyone else only their own.
    customer: 'none',
    mayNameCustomer: true,
    query: z.strictObject({ withinDays: z.coerce.number().int().min(0).max(3650).optional() }),
    list: true,
    async handle({ actor, query, request, page, answerPage }) {
      const isForAll = actor.role === 'operator' && namedCustomer(request) === undefined;
      const customerId = isForAll ? undefined : (await actForCustomer(deps, actor, request)).customerId;
      const withinDays = query.withinDays ?? deps.expiringWithinDays;
      const found = await listExpiringSecrets(deps, customerId, withinDays, page);
      return answerPage(found, (secret) => ({ ...secret, expiresAt: secret.expiresAt.toISOString() }));
    },
  });
}
