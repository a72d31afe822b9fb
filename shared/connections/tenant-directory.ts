import type { Cloud } from './connection.ts';

/** Finds tenants by the names that people know. Rejects with `microsoft_unavailable` when Microsoft does not answer. */
export interface TenantDirectory {
  /** Resolves to the tenant's GUID, lower case, or to `undefined` when the cloud knows no tenant with this domain. */
  resolve(cloud: Cloud, domain: string): Promise<string | undefined>;
}
