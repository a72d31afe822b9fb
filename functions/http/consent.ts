import type { app } from '@azure/functions';
import { z } from 'zod';
import { type ConsentOutcome, receiveConsent, requestConsent } from '../../shared/connections/consent.ts';
import { createEndpoint, type EndpointDeps, publicEndpoint } from '../../shared/edge/endpoint.ts';
import { consentPage } from './consent-page.ts';

type Deps = EndpointDeps & Parameters<typeof receiveConsent>[0];

const text = z.string().max(4096).optional();

export function addConsentRoutes(host: Pick<typeof app, 'http'>, deps: Deps): void {
  host.http('connections-consent', {
    methods: ['POST'],
    route: 'v1/connections/{connectionId}/consent',
    authLevel: 'anonymous',
    handler: createEndpoint(deps)({
      permission: 'administer',
      redactOnReplay: ['url'],
      async handle({ actor, params }) {
        const { url, expiresAt } = await requestConsent(deps, actor, params.connectionId ?? '');
        return { status: 201, jsonBody: { url, expiresAt: expiresAt.toISOString() } };
      },
    }),
  });

  host.http('consent-callback', {
    methods: ['GET'],
    route: 'v1/consent/callback',
    authLevel: 'anonymous',
    handler: publicEndpoint({
      // Not strict: Microsoft may add more fields to the redirect.
      query: z.object({
        state: text,
        tenant: text,
        error: text,
        error_description: text,
        error_subcode: text,
        admin_consent: text,
      }),
      async handle({ query, log }) {
        const outcome: ConsentOutcome = await receiveConsent(deps, {
          state: query.state,
          tenant: query.tenant,
          error: query.error,
          errorDescription: query.error_description,
          errorSubcode: query.error_subcode,
          adminConsent: query.admin_consent,
        });
        const connectionId = outcome.kind === 'unknown' ? undefined : outcome.connection.id;
        log('info', 'consent_callback', { outcome: outcome.kind, connectionId });
        return consentPage(outcome);
      },
    }),
  });
}
