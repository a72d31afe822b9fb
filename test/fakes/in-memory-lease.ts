import type { Lease, LeaseStore } from '../../shared/kernel/lease-store.ts';

/** Leases in memory. `keyOf` tells which right a lease is about. */
export function inMemoryLeases<L extends Lease = Lease>(keyOf: (lease: L) => string): LeaseStore<L> & { held(): L[] } {
  const kept = new Map<string, { lease: L; tag: string }>();
  let tags = 0;
  const put = (lease: L) => {
    const tag = `tag-${++tags}`;
    kept.set(keyOf(lease), { lease, tag });
    return tag;
  };
  return {
    held: () => [...kept.values()].map(({ lease }) => lease),
    async take(lease, now) {
      const found = kept.get(keyOf(lease))?.lease;
      return found && found.holder !== lease.holder && found.until > now ? undefined : put(lease);
    },
    async renew(lease) {
      return kept.get(keyOf(lease))?.lease.holder === lease.holder ? put(lease) : undefined;
    },
    async release(lease, tag) {
      if (kept.get(keyOf(lease))?.tag === tag) kept.delete(keyOf(lease));
    },
  };
}
