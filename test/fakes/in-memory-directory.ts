import type { DirectoryEntry } from '../../shared/directory/directory-entry.ts';
import type { DirectoryRecord } from '../../shared/directory/directory-record.ts';
import type { DirectoryNote, DirectoryStore, EntryFilter } from '../../shared/directory/directory-store.ts';
import type { PageRequest } from '../../shared/kernel/page.ts';
import type { Tagged } from '../../shared/kernel/tagged.ts';

/** Directories in memory, with the same tags and orders as the table. */
export function inMemoryDirectory(): DirectoryStore {
  const records = new Map<string, Tagged<DirectoryRecord>>();
  const entries = new Map<string, Map<string, DirectoryEntry>>();
  const notes = new Map<string, DirectoryNote>();
  let tags = 0;
  const of = (connectionId: string) => {
    const found = entries.get(connectionId) ?? new Map<string, DirectoryEntry>();
    entries.set(connectionId, found);
    return found;
  };
  // The ID is the key of an entry here: an entry that changed its address in a full read is not there twice.
  const keyOf = ({ address, id }: DirectoryEntry) => `${address} ${id}`;
  const write = (record: DirectoryRecord, tag: string | undefined): string | undefined => {
    if (records.get(record.connectionId)?.tag !== tag) return undefined;
    const next = { value: structuredClone(record), tag: `tag-${++tags}` };
    records.set(record.connectionId, next);
    return next.tag;
  };
  const pageOf = (connectionId: string, { limit, cursor }: PageRequest, is: (entry: DirectoryEntry) => boolean) => {
    const all = [...of(connectionId).values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    const found = all.filter((entry) => is(entry) && (cursor === undefined || keyOf(entry) > cursor));
    const items = structuredClone(found.slice(0, limit));
    const last = items.at(-1);
    return found.length > limit && last ? { items, cursor: keyOf(last) } : { items };
  };

  return {
    get: async (connectionId) => structuredClone(records.get(connectionId)),
    put: async (record, tag) => write(record, tag),
    async commit(_before, record, tag, changes) {
      const written = write(record, tag);
      if (written === undefined) return undefined;
      for (const change of changes) {
        if (change.op === 'put') of(record.connectionId).set(change.entry.id, structuredClone(change.entry));
        else of(record.connectionId).delete(change.id);
      }
      return written;
    },
    async sweep(record, tag) {
      const written = write(record, tag);
      if (written === undefined) return undefined;
      const own = of(record.connectionId);
      for (const [id, { round }] of own) if (round !== record.round) own.delete(id);
      return { tag: written, isComplete: true };
    },
    async getMany(connectionId, ids) {
      return ids.flatMap((id) => structuredClone(of(connectionId).get(id)) ?? []);
    },
    async list(connectionId, request, { isEligible, kind }: EntryFilter) {
      const is = (entry: DirectoryEntry) =>
        (isEligible === undefined || entry.isEligible === isEligible) && (kind === undefined || entry.kind === kind);
      return pageOf(connectionId, request, is);
    },
    cursorAfter: keyOf,
    async listDue(connectionId, request, refusedBefore) {
      return pageOf(
        connectionId,
        request,
        ({ judgement, judgedAt }) =>
          judgement === 'due' || (judgement === 'refused' && judgedAt !== undefined && judgedAt < refusedBefore),
      );
    },
    async purge(connectionId) {
      records.delete(connectionId);
      entries.delete(connectionId);
    },
    async note(kind, note) {
      notes.set(`${kind} ${note.connectionId}`, structuredClone(note));
    },
    async forget(kind, connectionId) {
      notes.delete(`${kind} ${connectionId}`);
    },
    async *eachDue(kind, now) {
      for (const [key, note] of [...notes])
        if (key.startsWith(`${kind} `) && note.at <= now) yield structuredClone(note);
    },
    async *eachOf(customerId) {
      for (const note of [...notes.values()]) if (note.customerId === customerId) yield structuredClone(note);
    },
  };
}
