import type { TokenCredential } from '@azure/identity';
import type { VendorApp } from '../../connections/credentials/vendor-app.ts';
import { DomainError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';
import type { AppProof } from './token-request.ts';

/** What the vendor's app proves itself with. */
export type VendorCredential =
  | { kind: 'clientSecret'; clientSecret: Secret; expiresAt?: Date }
  /** With its private key, as PEM. */
  | { kind: 'certificate'; pem: Secret; expiresAt?: Date }
  /** The deployment's managed identity, which the app trusts. Nothing expires, and nobody has a secret. */
  | { kind: 'federated'; identity: TokenCredential; resource: string };

/** The vendor's app, for asking Entra. */
export interface VendorAppAccess extends VendorApp {
  /** Resolves to what goes into one token request. Rejects with `microsoft_unavailable` if a retry may help. */
  prove(): Promise<AppProof>;
}

/**
 * A federated app proves itself with a token of the deployment's own identity.
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
 */
export function createVendorAppAccess(app: VendorApp, credential: VendorCredential): VendorAppAccess {
  const { kind } = credential;
  const expiresAt = kind === 'federated' ? undefined : credential.expiresAt;
  return {
    ...app,
    ...(kind !== 'federated' && expiresAt && { expiry: { credential: kind, expiresAt } }),
    async prove() {
      return credential.kind === 'federated'
        ? { kind: 'assertion', assertion: await tokenOf(credential.identity, credential.resource) }
        : credential;
    },
  };
}

/** The library caches the token. */
async function tokenOf(identity: TokenCredential, resource: string): Promise<Secret> {
  try {
    const issued = await identity.getToken(`${resource}/.default`);
    if (!issued) throw new Error('no token was issued');
    return new Secret(issued.token);
  } catch (cause) {
    throw new DomainError(
      'microsoft_unavailable',
      'The identity of this deployment got no token from Microsoft Entra. Try again later.',
      { cause },
    );
  }
}
