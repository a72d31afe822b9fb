/** What a table orders its entities by: first the partition, then the row, each compared by code unit. */
export interface EntityKey {
  PartitionKey: string;
  RowKey: string;
}

/** The entities of a table in the order of their keys. Every operation takes about as long in a large table as in a small one. */
export interface SortedEntities<Entity extends EntityKey> {
  find(key: EntityKey): Entity | undefined;
  /** Adds an entity, or replaces the one with the same key. */
  put(entity: Entity): void;
  remove(key: EntityKey): void;
  /** The entities from this key on. The list must not change in the meantime. */
  from(key: EntityKey): Generator<Entity>;
}

const CHUNK_MAX = 1_000;

export function isBefore(one: EntityKey, other: EntityKey): boolean {
  return one.PartitionKey === other.PartitionKey ? one.RowKey < other.RowKey : one.PartitionKey < other.PartitionKey;
}

/** Holds sorted chunks of bounded length, so that an insertion moves a few hundred entities and not all of them. */
export function createSortedEntities<Entity extends EntityKey>(initial: readonly Entity[]): SortedEntities<Entity> {
  const sorted = initial.toSorted((one, other) => (isBefore(one, other) ? -1 : 1));
  const chunks: Entity[][] = [];
  for (let i = 0; i < sorted.length; i += CHUNK_MAX / 2) chunks.push(sorted.slice(i, i + CHUNK_MAX / 2));
  if (chunks.length === 0) chunks.push([]);

  /** The chunk that has the key or should have it, and the place in it. */
  function locate(key: EntityKey) {
    const behind = firstIndex(chunks.length, (i) => {
      const [first] = chunks[i] ?? [];
      return first !== undefined && isBefore(key, first);
    });
    const index = Math.max(0, behind - 1);
    const chunk = chunks[index] ?? [];
    const at = firstIndex(chunk.length, (i) => !isBefore(chunk[i] as Entity, key));
    const next = chunk[at];
    return { index, chunk, at, found: next && !isBefore(key, next) ? next : undefined };
  }

  return {
    find: (key) => locate(key).found,
    put(entity) {
      const { index, chunk, at, found } = locate(entity);
      chunk.splice(at, found ? 1 : 0, entity);
      if (chunk.length > CHUNK_MAX) chunks.splice(index + 1, 0, chunk.splice(CHUNK_MAX / 2));
    },
    remove(key) {
      const { index, chunk, at, found } = locate(key);
      if (found) chunk.splice(at, 1);
      if (chunk.length === 0 && chunks.length > 1) chunks.splice(index, 1);
    },
    *from(key) {
      const start = locate(key);
      for (let i = start.index; i < chunks.length; i++) {
        yield* (chunks[i] ?? []).slice(i === start.index ? start.at : 0);
      }
    },
  };
}

/** The first index for which the condition holds, if it holds for all after it. `length` if there is none. */
function firstIndex(length: number, holds: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
