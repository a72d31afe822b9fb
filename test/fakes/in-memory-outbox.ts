import type { Outbox, OutboxEntry } from '../../shared/webhooks/outbox.ts';

/** The outbox in memory. */
export function inMemoryOutbox(): Outbox {
  const kept = new Map<string, { value: OutboxEntry; tag: string }>();
  let tags = 0;
  const keyOf = ({ source, id }: Pick<OutboxEntry, 'source' | 'id'>) => `${source}:${id}`;
  const put = (entry: OutboxEntry) => {
    const tag = `tag-${++tags}`;
    kept.set(keyOf(entry), { value: structuredClone(entry), tag });
    return tag;
  };
  return {
    async note(entry) {
      put(entry);
    },
    async begin(entry) {
      if (!kept.has(keyOf(entry))) put(entry);
    },
    async get(key) {
      return structuredClone(kept.get(keyOf(key)));
    },
    async update(entry, tag) {
      return kept.get(keyOf(entry))?.tag === tag ? put(entry) : undefined;
    },
    async remove(key, tag) {
      if (kept.get(keyOf(key))?.tag === tag) kept.delete(keyOf(key));
    },
    async list(until, limit) {
      return [...kept.values()].filter(({ value }) => value.notedAt <= until).slice(0, limit);
    },
  };
}
