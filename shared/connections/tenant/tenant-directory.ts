import type { Cloud } from '../connection.ts';

/** A tenant, and the cloud that it is in. */
export interface FoundTenant {
  /** The tenant's GUID, lower case. */
  tenantId: string;
  cloud: Cloud;
  /** How far Microsoft's clock is ahead of ours, to a second or so. Absent if its answer had no time. */
  clockAheadMs?: number;
}

/**
 * Finds tenants. Rejects with `microsoft_throttled` or `microsoft_unavailable` if Microsoft does not answer.
 */
export interface TenantDirectory {
  /**
   * Looks for a tenant, by its GUID or one of its domains, first in the cloud that it should be in and then in the others.
   * Resolves to `undefined` if no cloud knows it.
   */
  find(cloud: Cloud, tenant: string): Promise<FoundTenant | undefined>;
}
