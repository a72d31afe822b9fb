import type { AnswerMemory, AnswerRecord } from '../../shared/kernel/answer-memory.ts';

/** Remembered answers in memory. */
export function inMemoryAnswers(): AnswerMemory {
  const rows = new Map<string, { record: AnswerRecord; tag: string }>();
  let serial = 0;
  const keyOf = ({ owner, id }: Pick<AnswerRecord, 'owner' | 'id'>) => `${owner}/${id}`;
  const put = (record: AnswerRecord) => {
    const tag = `tag-${++serial}`;
    rows.set(keyOf(record), { record: structuredClone(record), tag });
    return tag;
  };
  const drop = (isDropped: (record: AnswerRecord) => boolean) => {
    const dropped = [...rows].filter(([, { record }]) => isDropped(record));
    for (const [key] of dropped) rows.delete(key);
    return dropped.length;
  };
  return {
    async get(owner, id) {
      const found = rows.get(keyOf({ owner, id }));
      return found && { value: structuredClone(found.record), tag: found.tag };
    },
    async insert(record) {
      return rows.has(keyOf(record)) ? undefined : put(record);
    },
    async update(record, tag) {
      return rows.get(keyOf(record))?.tag === tag ? put(record) : undefined;
    },
    async remove(record, tag) {
      if (rows.get(keyOf(record))?.tag === tag) rows.delete(keyOf(record));
    },
    async purge(customerId) {
      drop((record) => record.owner === customerId || record.customerId === customerId);
    },
    async removeExpired(before) {
      return drop((record) => record.expiresAt < before);
    },
  };
}
