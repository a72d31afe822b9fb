import type { UploadLease } from '../../shared/imports/upload/upload-lease-store.ts';
import { inMemoryLeases } from './in-memory-lease.ts';

/** Upload leases in memory. */
export const inMemoryUploadLeases = () => inMemoryLeases<UploadLease>(({ connectionId }) => connectionId);
