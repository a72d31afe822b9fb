import type { DirectoryEntry } from '../../shared/directory/directory-entry.ts';
import type { DirectoryRecord } from '../../shared/directory/directory-record.ts';
import type { DirectoryNote, DirectoryStore, EntryFilter } from '../../shared/directory/directory-store.ts';
import type { PageRequest } from '../../shared/kernel/page.ts';
import type { Tagged } from '../../shared/kernel/tagged.ts';

/** So few that tests have several pages. */
const SWEPT_MAX = 4;

/** Directories in memory, with the same tags and orders as the table. */
export function inMemoryDirectory(): DirectoryStore {
  const records = new Map<string, Tagged<DirectoryRecord>>();
  /** Of each connection: its entries by ID, and the same by address and ID, as the table has them. */
  const entries = new Map<string, { byId: Map<string, DirectoryEntry>; byAddress: Map<string, DirectoryEntry> }>();
  const notes = new Map<string, DirectoryNote>();
  let tags = 0;
  const of = (connectionId: string) => {
    const found = entries.get(connectionId) ?? { byId: new Map(), byAddress: new Map() };
    entries.set(connectionId, found);
    return found;
  };
  const keyOf = ({ address, id }: Pick<DirectoryEntry, 'address' | 'id'>) => `${address} ${id}`;
  const write = (record: DirectoryRecord, tag: string | undefined): string | undefined => {
    if (records.get(record.connectionId)?.tag !== tag) return undefined;
    const next = { value: structuredClone(record), tag: `tag-${++tags}` };
    records.set(record.connectionId, next);
    return next.tag;
  };
  const pageOf = (connectionId: string, { limit, cursor }: PageRequest, is: (entry: DirectoryEntry) => boolean) => {
    const all = [...of(connectionId).byAddress.values()].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
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
      const { byId, byAddress } = of(record.connectionId);
      for (const change of changes) {
        const { id, address } = change.op === 'put' ? change.entry : change;
        byAddress.delete(keyOf({ id, address: (change.op === 'put' && change.previousAddress) || address }));
        if (change.op === 'remove') {
          byId.delete(id);
        } else {
          byId.set(id, structuredClone(change.entry));
          byAddress.set(keyOf(change.entry), structuredClone(change.entry));
        }
      }
      return written;
    },
    async sweep(record, tag, cursor) {
      const written = write(record, tag);
      if (written === undefined) return undefined;
      const page = pageOf(
        record.connectionId,
        { limit: SWEPT_MAX, ...(cursor !== undefined && { cursor }) },
        () => true,
      );
      const { byId, byAddress } = of(record.connectionId);
      for (const entry of page.items) if (entry.round !== record.round) byAddress.delete(keyOf(entry));
      for (const [id, { round }] of byId) if (round !== record.round) byId.delete(id);
      return { tag: written, ...(page.cursor !== undefined && { cursor: page.cursor }) };
    },
    async getMany(connectionId, ids) {
      return ids.flatMap((id) => structuredClone(of(connectionId).byId.get(id)) ?? []);
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
