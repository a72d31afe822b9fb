import type { Cloud } from '../connection.ts';
import type { CredentialKind } from './credential.ts';

/**
 * The multi-tenant app of the vendor who runs this deployment, for customers who do not register one of their own. It is
 * registered in one cloud, and its credential belongs to the deployment.
 * https://learn.microsoft.com/entra/identity-platform/single-and-multi-tenant-apps
 */
export interface VendorApp {
  /** Lower case. */
  clientId: string;
  cloud: Cloud;
  /** Of its client secret or certificate, if it has one and the date is known. */
  expiry?: { credential: CredentialKind; expiresAt: Date };
}
