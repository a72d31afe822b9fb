import { ClientSecretCredential, ManagedIdentityCredential, type TokenCredential } from '@azure/identity';
import type { AppIdentity } from './config.ts';

const CREDENTIAL_RETRIES = { maxRetries: 1, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 };

/** Microsoft's list does not contain a simulated or private authority, so instance discovery is off for one. */
export function credentialOf(identity: AppIdentity): TokenCredential {
  if (identity.kind === 'managed') return new ManagedIdentityCredential({ clientId: identity.clientId });
  const { tenantId, clientId, clientSecret, authorityHost } = identity;
  return new ClientSecretCredential(tenantId, clientId, clientSecret.reveal(), {
    ...(authorityHost !== undefined && { authorityHost, disableInstanceDiscovery: true }),
    retryOptions: CREDENTIAL_RETRIES,
  });
}
