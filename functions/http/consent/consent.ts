import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import { receiveConsent, requestConsent } from '../../../shared/connections/consent/consent.ts';
import type { ConsentCallback } from '../../../shared/connections/consent/consent-answer.ts';
import {
  CONFIRM_PATH,
  confirmTenant,
  receiveSignIn,
  SIGN_IN_PATH,
} from '../../../shared/connections/consent/sign-in.ts';
import { callerAddress } from '../../../shared/edge/requests/caller-address.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import type { Log } from '../../../shared/kernel/log.ts';
import { consentLinkSchema } from '../connections/connection-schemas.ts';
import { consentPage, consentProblemPage } from './consent-page.ts';
import type { ShownOutcome } from './consent-texts.ts';

type Deps = EndpointDeps & Parameters<typeof receiveConsent>[0];

const text = z.string().max(4096).optional();

/** What Microsoft says in the address of the browser. Not strict, because it may add more fields. */
const fromMicrosoft = {
  state: text,
  tenant: text,
  error: text,
  error_description: text,
  error_subcode: text,
  admin_consent: text,
};

const page = {
  description: 'A page for the admin.',
  contentType: 'text/html; charset=utf-8',
  headers: {
    'Content-Security-Policy': 'The page loads nothing and runs no scripts.',
    'Referrer-Policy': 'Always `no-referrer`, because the address contains the one-time state.',
  },
};

export function addConsentRoutes(api: Api, deps: Deps): void {
  api.route({
    name: 'connections-consent',
    method: 'POST',
    path: 'v1/connections/{connectionId}/consent',
    tag: 'Connections',
    summary: 'Create a consent link for an admin',
    description:
      'With the app of this service, the admin also signs in and confirms on the last page that you may use the tenant.',
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
      200: page,
      303: {
        description: 'With the app of this service: the admin signs in next.',
        headers: { Location: 'The sign-in page of Microsoft.', 'Referrer-Policy': page.headers['Referrer-Policy'] },
      },
    },
    refusals: ['storage_unavailable'],
    showProblem: consentProblemPage,
    query: z.object(fromMicrosoft),
    async handle({ query, log }) {
      const outcome = await receiveConsent(deps, toCallback(query));
      if (outcome.kind !== 'toSignIn') return shown(log, 'consent_callback', outcome);
      log('info', 'consent_callback', { outcome: outcome.kind, connectionId: outcome.connection.id });
      const headers = { location: outcome.url, 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' };
      return { status: 303, headers };
    },
  });

  api.publicRoute({
    name: 'consent-sign-in',
    method: 'GET',
    path: SIGN_IN_PATH.slice(1),
    tag: 'Connections',
    summary: 'Receive the admin after the sign-in',
    description: 'With the app of this service, Microsoft sends the admin’s browser here. Not for API clients.',
    responses: { 200: page },
    refusals: ['storage_unavailable'],
    showProblem: consentProblemPage,
    query: z.object({ ...fromMicrosoft, code: text }),
    handle: async ({ query, log }) =>
      shown(log, 'consent_sign_in', await receiveSignIn(deps, { ...toCallback(query), code: query.code })),
  });

  api.publicRoute({
    name: 'consent-confirm',
    method: 'POST',
    path: CONFIRM_PATH.slice(1),
    tag: 'Connections',
    summary: 'Receive the confirmation of the admin',
    description: 'The button of the page that follows the sign-in. Not for API clients.',
    responses: { 200: page },
    refusals: ['storage_unavailable'],
    showProblem: consentProblemPage,
    query: z.object({ state: text }),
    async handle({ query, log, request, requestId }) {
      const address = callerAddress(request);
      const caller = { requestId, ...(address !== undefined && { address }) };
      return shown(log, 'consent_confirmed', await confirmTenant(deps, query.state, caller));
    },
  });
}

function toCallback(query: z.infer<z.ZodObject<typeof fromMicrosoft>>): ConsentCallback {
  return {
    state: query.state,
    tenant: query.tenant,
    error: query.error,
    errorDescription: query.error_description,
    errorSubcode: query.error_subcode,
    adminConsent: query.admin_consent,
  };
}

/** Problems of our own app are for the operator. */
const ours: ReadonlySet<ShownOutcome['kind']> = new Set(['rolesHidden', 'signInRefused']);

function shown(log: Log, event: string, outcome: ShownOutcome): HttpResponseInit {
  const connection = 'connection' in outcome ? outcome.connection : undefined;
  const microsoftCode = 'microsoftCode' in outcome ? outcome.microsoftCode : undefined;
  log(ours.has(outcome.kind) ? 'error' : 'info', event, {
    outcome: outcome.kind,
    connectionId: connection?.id,
    customerName: 'customerName' in outcome ? outcome.customerName : undefined,
    microsoftCode,
    reason: 'reason' in outcome ? outcome.reason : undefined,
    adminId: connection?.adminConfirmation?.adminId,
  });
  return consentPage(outcome);
}
