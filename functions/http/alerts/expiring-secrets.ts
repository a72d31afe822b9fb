import { z } from 'zod';
import { type ExpiringSecret, listExpiringSecrets } from '../../../shared/connections/expiry/expiring-secrets.ts';
import { actForCustomer, namedCustomer } from '../../../shared/edge/admission/authenticate.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { expiringSecretsSchema } from '../connections/connection-schemas.ts';
import { presentNewer } from '../connections/present-newer.ts';

type Deps = EndpointDeps &
  Parameters<typeof listExpiringSecrets>[0] & {
    expiringWithinDays: number;
    /** The secrets as a calendar (RFC 5545). */
    expiryCalendar: (secrets: readonly ExpiringSecret[], now: Date) => string;
  };

export function addExpiringSecretRoutes(api: Api, deps: Deps): void {
  api.route({
    name: 'expiring-secrets-list',
    method: 'GET',
    path: 'v1/expiring-secrets',
    tag: 'Connections',
    summary: 'List credentials that expire soon',
    refusals: ['not_found'],
    description:
      '`newerSecret` and `newerCertificate` show what Microsoft Entra already has. With `format=ics`, one page as a calendar (RFC 5545), for programs that send the API key in a header. A page of it has no cursor.',
    responses: {
      200: {
        description: 'One page of secrets, soonest first.',
        schema: expiringSecretsSchema,
        alsoAs: ['text/calendar; charset=utf-8'],
      },
    },
    permission: 'read',
    // An operator sees the secrets of all customers, everyone else only their own.
    customer: 'none',
    mayNameCustomer: true,
    query: z.strictObject({
      withinDays: z.coerce.number().int().min(0).max(3650).optional(),
      format: z.enum(['json', 'ics']).default('json'),
    }),
    list: true,
    async handle({ actor, query, request, page, answerPage }) {
      const isForAll = actor.role === 'operator' && namedCustomer(request) === undefined;
      const customerId = isForAll ? undefined : (await actForCustomer(deps, actor, request)).customerId;
      const withinDays = query.withinDays ?? deps.expiringWithinDays;
      const found = await listExpiringSecrets(deps, customerId, withinDays, page);
      if (query.format === 'ics') {
        const body = deps.expiryCalendar(found.items, deps.clock.now());
        return { headers: { 'content-type': 'text/calendar; charset=utf-8' }, body };
      }
      return answerPage(found, present);
    },
  });
}

function present(secret: ExpiringSecret): z.infer<typeof expiringSecretsSchema>['items'][number] {
  const { acknowledgedAt, snoozeEndsAt, expiresAt, newer, ...rest } = secret;
  return {
    ...rest,
    expiresAt: expiresAt.toISOString(),
    acknowledgedAt: acknowledgedAt?.toISOString() ?? null,
    snoozedUntil: snoozeEndsAt?.toISOString() ?? null,
    ...presentNewer(newer),
  };
}
