import { json, type SimulatorReply } from '../http.ts';
import type { World } from '../world.ts';
import { aadsts, entraHeaders } from './aadsts.ts';

/** The OpenID configuration of a tenant. Clients use it to turn a domain into a tenant id. */
export function answerOpenIdConfiguration(world: World, name: string): SimulatorReply {
  const isShared = /^(common|organizations|consumers)$/i.test(name);
  const isHome = world.home?.tenantId.toLowerCase() === name.toLowerCase();
  const id = isShared ? name.toLowerCase() : isHome ? world.home?.tenantId : world.tenant(name)?.id;
  if (!id) return aadsts(90002, { tenant: name });
  const base = `${world.url}/${id}`;
  return json(
    200,
    {
      token_endpoint: `${base}/oauth2/v2.0/token`,
      token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
      jwks_uri: `${base}/discovery/v2.0/keys`,
      response_modes_supported: ['query', 'fragment', 'form_post'],
      subject_types_supported: ['pairwise'],
      id_token_signing_alg_values_supported: ['RS256'],
      response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
      scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
      issuer: `${world.url}/${isShared ? '{tenantid}' : id}/v2.0`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
      end_session_endpoint: `${base}/oauth2/v2.0/logout`,
      tenant_region_scope: 'EU',
      cloud_instance_name: new URL(world.url).host,
      cloud_graph_host_name: 'graph.windows.net',
      msgraph_host: new URL(world.url).host,
    },
    entraHeaders(),
  );
}

/** Tells MSAL that this host is an authority with no aliases. */
export function answerInstanceDiscovery(world: World): SimulatorReply {
  const { host } = new URL(world.url);
  return json(200, {
    tenant_discovery_endpoint: `${world.url}/common/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  });
}
