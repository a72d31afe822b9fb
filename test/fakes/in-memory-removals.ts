import type { Removal, RemovalSchedule } from '../../shared/imports/retention/removal-schedule.ts';

interface InMemoryRemovals extends RemovalSchedule {
  /** What is to be removed, the earliest first. */
  all(): Removal[];
}

/** Removals in memory. */
export function inMemoryRemovals(): InMemoryRemovals {
  const kept = new Map<string, Removal>();
  const keyOf = ({ removeAt, kind, importId }: Removal) => `${removeAt.toISOString()}:${kind}:${importId}`;
  const all = () => structuredClone([...kept].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, removal]) => removal));
  return {
    all,
    async put(removal) {
      kept.set(keyOf(removal), structuredClone(removal));
    },
    async remove(removal) {
      kept.delete(keyOf(removal));
    },
    async *eachDue(now) {
      yield* all().filter(({ removeAt }) => removeAt <= now);
    },
    async purge(customerId) {
      for (const [key, removal] of kept) if (removal.customerId === customerId) kept.delete(key);
    },
  };
}
