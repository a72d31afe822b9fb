import type { Lease, LeaseStore } from '../../kernel/lease-store.ts';

/** The right to upload to a connection. */
export interface UploadLease extends Lease {
  customerId: string;
  connectionId: string;
}

/** Stores who is uploading. */
export type UploadLeaseStore = LeaseStore<UploadLease>;
