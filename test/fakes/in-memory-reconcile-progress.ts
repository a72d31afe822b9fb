import type { ReconcileProgress, ReconcileProgressStore } from '../../shared/imports/reconciling/reconcile-slots.ts';
import type { Tagged } from '../../shared/kernel/tagged.ts';

/** The progress of the slots reconciliation in memory. */
export function inMemoryReconcileProgress(): ReconcileProgressStore {
  let kept: Tagged<ReconcileProgress> | undefined;
  let tags = 0;
  return {
    get: async () => structuredClone(kept),
    async put(progress, tag) {
      if (kept?.tag !== tag) return undefined;
      kept = { value: structuredClone(progress), tag: `tag-${++tags}` };
      return kept.tag;
    },
  };
}
