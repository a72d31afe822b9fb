import { LRUCache } from 'lru-cache';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import type { Clock } from '../../kernel/clock.ts';

/** Connections as this process last read them, so that a check reads no table. */
export interface ConnectionCache {
  /**
   * At most half a minute old. Read again for each epoch of an import, because the secret may be replaced during a pause.
   */
  get(message: ConnectionAsked): Promise<Connection | undefined>;
  forget(connectionId: string): void;
}

interface ConnectionAsked {
  customerId: string;
  connectionId: string;
  importId: string;
  epoch: number;
}

const MAX_AGE_MS = 30_000;
const CONNECTIONS_MAX = 1_000;

export function createConnectionCache(deps: { connections: ConnectionStore; clock: Clock }): ConnectionCache {
  // `fetch` shares one read among all callers. The record is wrapped because the cache cannot hold `undefined`.
  const cache = new LRUCache<string, { record: Connection | undefined }, ConnectionAsked>({
    max: CONNECTIONS_MAX,
    ttl: MAX_AGE_MS,
    ttlResolution: 0,
    perf: { now: () => deps.clock.now().getTime() },
    fetchMethod: async (_key, _stale, { context: { customerId, connectionId } }) => ({
      record: (await deps.connections.get(customerId, connectionId))?.value,
    }),
  });
  return {
    async get(message) {
      const { connectionId, importId, epoch } = message;
      return (await cache.fetch(`${connectionId} ${importId} ${epoch}`, { context: message }))?.record;
    },
    forget(connectionId) {
      for (const key of cache.keys()) if (key.startsWith(`${connectionId} `)) cache.delete(key);
    },
  };
}
