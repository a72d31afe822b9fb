import type { PoisonArchive, PoisonedMessage } from '../../shared/operations/poison-archive.ts';

/** Poison messages in memory. */
export function inMemoryPoisonArchive(): PoisonArchive {
  const entries = new Map<string, { value: PoisonedMessage; tag: string }>();
  let tags = 0;
  const keyOf = ({ queue, key }: Pick<PoisonedMessage, 'queue' | 'key'>) => `${queue}\n${key}`;
  const values = () => [...entries.values()].map(({ value }) => value);
  const isUndecided = ({ state }: PoisonedMessage) => state === 'open' || state === 'requeuing';
  const ofQueue = (queue: string) => values().filter((entry) => entry.queue === queue && isUndecided(entry));
  const removeNaming = async (id: string) => {
    for (const entry of values()) if (JSON.stringify(entry).includes(id)) entries.delete(keyOf(entry));
  };
  return {
    async get(queue, key) {
      const found = entries.get(keyOf({ queue, key }));
      return found && structuredClone(found);
    },
    async insert(entry) {
      if (entries.has(keyOf(entry))) return false;
      entries.set(keyOf(entry), { value: structuredClone(entry), tag: `${++tags}` });
      return true;
    },
    async update(entry, tag) {
      if (entries.get(keyOf(entry))?.tag !== tag) return undefined;
      entries.set(keyOf(entry), { value: structuredClone(entry), tag: `${++tags}` });
      return `${tags}`;
    },
    async list(queue, { limit, cursor = '' }) {
      // The cursor is a key: a page begins at the same message, also if earlier ones were decided in between.
      const rest = ofQueue(queue).filter(({ key }) => key > cursor);
      const items = rest.toSorted((one, other) => (one.key < other.key ? -1 : 1)).slice(0, limit);
      const last = items.at(-1);
      return structuredClone({ items, ...(last && rest.length > items.length && { cursor: last.key }) });
    },
    count: async (queue, max) => Math.min(max, ofQueue(queue).length),
    async listRequeuing(before, { limit, cursor = '' }) {
      const isDue = ({ state, decidedAt }: PoisonedMessage) =>
        state === 'requeuing' && decidedAt !== undefined && decidedAt < before;
      const rest = values().filter((entry) => isDue(entry) && keyOf(entry) > cursor);
      const items = rest.toSorted((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1)).slice(0, limit);
      const last = items.at(-1);
      return structuredClone({ items, ...(last && rest.length > items.length && { cursor: keyOf(last) }) });
    },
    async removeOld({ decided, archived }, max) {
      const isOld = ({ state, decidedAt, archivedAt }: PoisonedMessage) =>
        archivedAt < archived || (state !== 'requeuing' && decidedAt !== undefined && decidedAt < decided);
      const old = values().filter(isOld);
      for (const entry of old.slice(0, max)) entries.delete(keyOf(entry));
      return Math.min(max, old.length);
    },
    remove: removeNaming,
    purge: removeNaming,
  };
}
