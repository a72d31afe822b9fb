import type { Cloud } from './connection.ts';

/** Finds tenants by domain. Rejects with `microsoft_unavailable` if Microsoft does not answer. */
export interface TenantDirectory {
  /** Resolves to the tenant's GUID, lower case, or to `undefined` if the cloud has no tenant with this domain. */
  resolve(cloud: Cloud, domain: string): Promise<string | undefined>;
}
