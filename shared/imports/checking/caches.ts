import { LRUCache } from 'lru-cache';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import type { Import } from '../import.ts';
import type { ImportStore } from '../import-store.ts';

/** Imports and connections as a worker last saw them, so that a check reads no table. */
export interface Seen {
  /** At most a few seconds old, and never of an older epoch than the message that asks. */
  import(customerId: string, importId: string, epoch: number): Promise<Import | undefined>;
  /**
   * At most a minute old, and read anew for each epoch of an import: while it was paused the secret may have been replaced.
   */
  connection(message: {
    customerId: string;
    connectionId: string;
    importId: string;
    epoch: number;
  }): Promise<Connection | undefined>;
  forget(importId: string, connectionId: string): void;
}

const IMPORT_MS = 5_000;
const CONNECTION_MS = 60_000;

/** A cached absence, because the cache itself cannot hold `undefined`. */
interface Read<T> {
  value: T | undefined;
}

export function createSeen(deps: { imports: ImportStore; connections: ConnectionStore }): Seen {
  // `fetch` shares one read among all who ask meanwhile.
  const imports = new LRUCache<string, Read<Import>, string>({
    max: 1000,
    ttl: IMPORT_MS,
    fetchMethod: async (id, _stale, { context: customerId }) => ({
      value: (await deps.imports.get(customerId, id))?.value,
    }),
  });
  const connections = new LRUCache<string, Read<Connection>, { customerId: string; connectionId: string }>({
    max: 1000,
    ttl: CONNECTION_MS,
    fetchMethod: async (_key, _stale, { context: { customerId, connectionId } }) => ({
      value: (await deps.connections.get(customerId, connectionId))?.value,
    }),
  });

  return {
    async import(customerId, importId, epoch) {
      const seen = await imports.fetch(importId, { context: customerId });
      if (!seen?.value || seen.value.epoch >= epoch) return seen?.value;
      return (await imports.fetch(importId, { context: customerId, forceRefresh: true }))?.value;
    },
    async connection({ customerId, connectionId, importId, epoch }) {
      const key = `${connectionId} ${importId} ${epoch}`;
      return (await connections.fetch(key, { context: { customerId, connectionId } }))?.value;
    },
    forget(importId, connectionId) {
      imports.delete(importId);
      for (const key of connections.keys()) if (key.startsWith(`${connectionId} `)) connections.delete(key);
    },
  };
}
