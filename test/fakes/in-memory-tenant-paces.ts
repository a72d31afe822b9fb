import type { TenantPace, TenantPaceStore } from '../../shared/imports/pacing/tenant-pace.ts';
import type { Tagged } from '../../shared/kernel/tagged.ts';
import { copyOf } from './copy-of.ts';

/** Paces in memory. */
export function inMemoryTenantPaces(): TenantPaceStore {
  const kept = new Map<string, Tagged<TenantPace>>();
  let tags = 0;
  return {
    get: async (tenant) => copyOf(kept.get(tenant)),
    async put(pace, tag) {
      if (kept.get(pace.tenant)?.tag !== tag) return undefined;
      const next = { value: copyOf(pace), tag: `tag-${++tags}` };
      kept.set(pace.tenant, next);
      return next.tag;
    },
    async *each() {
      yield* copyOf([...kept.values()]);
    },
    async remove(tenant, tag) {
      return kept.get(tenant)?.tag === tag && kept.delete(tenant);
    },
  };
}
