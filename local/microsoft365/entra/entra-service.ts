import { json, type SimulatorReply, type SimulatorRequest, type Trace } from '../http.ts';
import { Router } from '../router.ts';
import type { World } from '../world.ts';
import { answerAdminConsent } from './admin-consent.ts';
import { answerInstanceDiscovery, answerOpenIdConfiguration } from './discovery.ts';
import { answerSignIn } from './sign-in.ts';
import { answerTokenRequest } from './token-endpoint.ts';

type Handler = (
  world: World,
  params: Record<string, string>,
  request: SimulatorRequest,
  trace: Trace,
) => SimulatorReply | Promise<SimulatorReply>;

const consentV1: Handler = (world, { tenant = '' }, request) => answerAdminConsent(world, tenant, 'v1', request);
const consentV2: Handler = (world, { tenant = '' }, request) => answerAdminConsent(world, tenant, 'v2', request);

const signIn: Handler = (world, { tenant = '' }, request, trace) => answerSignIn(world, tenant, request, trace);

/** The reply with the time of Entra's clock. */
function onItsClock(world: World, tenant: string, reply: SimulatorReply): SimulatorReply {
  const now = world.tenant(tenant)?.entraNow;
  return now ? { ...reply, headers: { ...reply.headers, Date: now.toUTCString() } } : reply;
}

/** The routes of the simulated Entra. */
export const entraRoutes = new Router<Handler>()
  .add('GET', '/common/discovery/instance', (world) => answerInstanceDiscovery(world))
  .add('POST', '/{tenant}/oauth2/v2.0/token', async (world, { tenant = '' }, request, trace) =>
    onItsClock(world, tenant, await answerTokenRequest(world, tenant, request, trace)),
  )
  .add('GET', '/{tenant}/oauth2/v2.0/authorize', signIn)
  .add('POST', '/{tenant}/oauth2/v2.0/authorize', signIn)
  .add('GET', '/{tenant}/v2.0/.well-known/openid-configuration', (world, { tenant = '' }) =>
    onItsClock(world, tenant, answerOpenIdConfiguration(world, tenant)),
  )
  .add('GET', '/{tenant}/.well-known/openid-configuration', (world, { tenant = '' }) =>
    onItsClock(world, tenant, answerOpenIdConfiguration(world, tenant)),
  )
  .add('GET', '/{tenant}/discovery/v2.0/keys', (world) => json(200, world.tokens.jwks()))
  .add('GET', '/{tenant}/discovery/keys', (world) => json(200, world.tokens.jwks()))
  .add('GET', '/{tenant}/v2.0/adminconsent', consentV2)
  .add('POST', '/{tenant}/v2.0/adminconsent', consentV2)
  .add('GET', '/{tenant}/adminconsent', consentV1)
  .add('POST', '/{tenant}/adminconsent', consentV1);
