import type { ReverifyWalk, ReverifyWalks } from '../../shared/imports/reverifying/reverify-walk.ts';
import type { Tagged } from '../../shared/kernel/tagged.ts';

/** The walks of connections in memory. */
export function inMemoryReverifyWalks(): ReverifyWalks {
  const kept = new Map<string, Tagged<ReverifyWalk>>();
  let tags = 0;
  return {
    get: async (connectionId) => structuredClone(kept.get(connectionId)),
    async put(connectionId, walk, tag) {
      if (kept.get(connectionId)?.tag !== tag) return undefined;
      const next = `tag-${++tags}`;
      kept.set(connectionId, { value: structuredClone(walk), tag: next });
      return next;
    },
  };
}
