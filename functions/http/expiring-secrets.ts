import type { app } from '@azure/functions';
import { z } from 'zod';
import { listExpiringSecrets } from '../../shared/connections/expiring-secrets.ts';
import { actForCustomer, namesCustomer } from '../../shared/edge/authenticate.ts';
import { createEndpoint, type EndpointDeps } from '../../shared/edge/endpoint.ts';

type Deps = EndpointDeps & Parameters<typeof listExpiringSecrets>[0] & { expiringWithinDays: number };

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
      list: true,
      async handle({ actor, query, request, page, answerPage }) {
        const isForAll = actor.role === 'operator' && !namesCustomer(request);
        const customerId = isForAll ? undefined : (await actForCustomer(deps, actor, request)).customerId;
        const withinDays = query.withinDays ?? deps.expiringWithinDays;
        const found = await listExpiringSecrets(deps, customerId, withinDays, page);
        return answerPage(found, (secret) => ({ ...secret, expiresAt: secret.expiresAt.toISOString() }));
      },
    }),
  });
}
