import type { UploadLease, UploadLeaseStore } from '../../shared/imports/upload/upload-lease-store.ts';

/** Upload leases in memory. */
export function inMemoryUploadLeases(): UploadLeaseStore & { held(): UploadLease[] } {
  const kept = new Map<string, { lease: UploadLease; tag: string }>();
  let tags = 0;
  const put = (lease: UploadLease) => {
    const tag = `tag-${++tags}`;
    kept.set(lease.connectionId, { lease, tag });
    return tag;
  };
  return {
    held: () => [...kept.values()].map(({ lease }) => lease),
    async take(lease, now) {
      const found = kept.get(lease.connectionId)?.lease;
      return found && found.holder !== lease.holder && found.until > now ? undefined : put(lease);
    },
    async renew(lease) {
      return kept.get(lease.connectionId)?.lease.holder === lease.holder ? put(lease) : undefined;
    },
    async release(lease, tag) {
      if (kept.get(lease.connectionId)?.tag === tag) kept.delete(lease.connectionId);
    },
  };
}
