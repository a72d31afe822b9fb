import type { MessagePoolStore, PoolClaim, PoolSize } from '../../shared/imports/dispatching/message-pool.ts';
import type { Tagged } from '../../shared/kernel/tagged.ts';
import { copyOf } from './copy-of.ts';

/** A pool of messages in memory. */
export function inMemoryMessagePool(): MessagePoolStore {
  const claims = new Map<string, PoolClaim>();
  let size: Tagged<PoolSize> | undefined;
  let tags = 0;
  return {
    read: async () => copyOf({ size, claims: [...claims.values()] }),
    async putSize(next, tag) {
      if (size?.tag !== tag) return undefined;
      size = { value: copyOf(next), tag: `tag-${++tags}` };
      return size.tag;
    },
    putClaim: async (claim) => void claims.set(claim.importId, copyOf(claim)),
    removeClaim: async (importId) => void claims.delete(importId),
  };
}
