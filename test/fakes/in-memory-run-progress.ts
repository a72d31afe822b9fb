import type { RunProgress, RunProgressStore } from '../../shared/kernel/resumable-run.ts';
import type { Tagged } from '../../shared/kernel/tagged.ts';

/** The progress of a run in memory. */
export function inMemoryRunProgress(): RunProgressStore {
  let kept: Tagged<RunProgress> | undefined;
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
