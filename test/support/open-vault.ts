import { ClientSecretCredential } from '@azure/identity';
import { SecretClient } from '@azure/keyvault-secrets';
import type { Stack } from '../../local/stack.ts';

/** The vault of a stack, as the app reaches it. */
export function openVault(stack: Stack): SecretClient {
  const { vaultUrl, identity } = stack.local();
  const { tenantId, clientId, clientSecret, authorityHost } = identity;
  const options = { authorityHost, disableInstanceDiscovery: true };
  const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, options);
  return new SecretClient(vaultUrl, credential, { disableChallengeResourceVerification: true });
}
