import { LRUCache } from 'lru-cache';
import type { Clock } from '../../kernel/clock.ts';
import type { Import } from '../import.ts';
import type { ImportStore } from '../import-store.ts';

/** Imports as this process last read them, so that a check reads no table. */
export interface ImportCache {
  /** At most a few seconds old, and never of an older epoch than `message`. */
  get(message: { customerId: string; importId: string; epoch: number }): Promise<Import | undefined>;
  forget(importId: string): void;
}

const MAX_AGE_MS = 5_000;
const IMPORTS_MAX = 1_000;

export function createImportCache(deps: { imports: ImportStore; clock: Clock }): ImportCache {
  // `fetch` shares one read among all callers. The record is wrapped because the cache cannot hold `undefined`.
  const cache = new LRUCache<string, { record: Import | undefined }, string>({
    max: IMPORTS_MAX,
    ttl: MAX_AGE_MS,
    ttlResolution: 0,
    perf: { now: () => deps.clock.now().getTime() },
    fetchMethod: async (id, _stale, { context: customerId }) => ({
      record: (await deps.imports.get(customerId, id))?.value,
    }),
  });
  return {
    async get({ customerId, importId, epoch }) {
      const cached = await cache.fetch(importId, { context: customerId });
      if (!cached?.record || cached.record.epoch >= epoch) return cached?.record;
      return (await cache.fetch(importId, { context: customerId, forceRefresh: true }))?.record;
    },
    forget: (importId) => void cache.delete(importId),
  };
}
