import { z } from 'zod';
import { type ConsentOutcome, receiveConsent, requestConsent } from '../../shared/connections/consent.ts';
import type { Api } from '../../shared/edge/api.ts';
import type { EndpointDeps } from '../../shared/edge/endpoint.ts';
import { consentLinkSchema } from './connection-schemas.ts';
import { consentPage, consentProblemPage } from './consent-page.ts';

type Deps = EndpointDeps & Parameters<typeof receiveConsent>[0];

const text = z.string().max(4096).optional();

export function addConsentRoutes(api: Api, deps: Deps): void {
  api.route({
    name: 'connections-consent',
    method: 'POST',
    path: 'v1/connections/{connectionId}/consent',
    tag: 'Connections',
    summary: 'Create a consent link for an admin',
    responses: { 201: { description: 'A link that works once.', schema: consentLinkSchema } },
    permission: 'administer',
    redactOnReplay: ['url'],
    async handle({ actor, params }) {
      const { url, expiresAt } = await requestConsent(deps, actor, params.connectionId ?? '');
      return { status: 201, jsonBody: { url, expiresAt: expiresAt.toISOString() } };
    },
  });

  api.publicRoute({
    name: 'consent-callback',
    method: 'GET',
    path: 'v1/consent/callback',
    tag: 'Connections',
    summary: 'Receive the admin after the consent dialog',
    description: 'Microsoft sends the admin’s browser here. Not for API clients.',
    responses: {
      200: {
        description: 'A page for the admin.',
        contentType: 'text/html; charset=utf-8',
        headers: {
          'Content-Security-Policy': 'The page loads nothing and runs no scripts.',
          'Referrer-Policy': 'Always `no-referrer`, because the address contains the one-time state.',
        },
      },
    },
    refusals: ['storage_unavailable'],
    showProblem: consentProblemPage,
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
      const connectionId = 'connection' in outcome ? outcome.connection?.id : undefined;
      log('info', 'consent_callback', { outcome: outcome.kind, connectionId });
      return consentPage(outcome);
    },
  });
}
