import type { ProgressMark, ProgressMarks } from '../../shared/operations/progress-marks.ts';

/** Marks of unfinished imports in memory. */
export function inMemoryProgressMarks(): ProgressMarks {
  const marks = new Map<string, ProgressMark>();
  return {
    list: async () => [...marks.values()],
    async put(some) {
      for (const mark of some) marks.set(mark.importId, mark);
    },
    async remove(importIds) {
      for (const importId of importIds) marks.delete(importId);
    },
  };
}
