import { type Import, starterOf } from '../../shared/imports/import.ts';
import type { ImportStore, OpenImport } from '../../shared/imports/import-store.ts';
import { quotaReached } from '../../shared/kernel/quota.ts';
import type { Tagged } from '../../shared/kernel/tagged.ts';
import { copyOf } from './copy-of.ts';

/** Imports and their pointers in memory. */
export function inMemoryImports(): ImportStore {
  const kept = new Map<string, Tagged<Import>>();
  const open = new Map<string, OpenImport>();
  let tags = 0;
  const own = (customerId: string, importId: string) => {
    const found = kept.get(importId);
    return found?.value.customerId === customerId ? copyOf(found) : undefined;
  };

  return {
    async get(customerId, importId) {
      return own(customerId, importId);
    },
    async list(customerId, connectionId, { limit, cursor }, of = 'imports') {
      const all = [...kept.values()]
        .map(({ value }) => value)
        .filter((record) => record.customerId === customerId && record.connectionId === connectionId)
        .filter(({ id }) => id.startsWith('act_') === (of !== 'imports'))
        .filter((record) => typeof of === 'string' || starterOf(record) === of.actionsOf)
        .filter((record) => cursor === undefined || record.id < cursor)
        .sort((a, b) => (a.id > b.id ? -1 : 1));
      const items = copyOf(all.slice(0, limit));
      const last = items.at(-1);
      return { items, ...(all.length > limit && last && { cursor: last.id }) };
    },
    async insert(record, quota) {
      const own = kept.get(record.id)?.value;
      if (own) return copyOf(own);
      const others = [...kept.values()].filter(({ value }) => value.customerId === record.customerId);
      const counted = others.reduce((sum, { value }) => sum + value.quotaRows, 0);
      if (quota && counted + quota.unchecked > quota.max) throw quotaReached('rows', quota.max, 'Wait.');
      kept.set(record.id, { value: copyOf(record), tag: `tag-${++tags}` });
      return record;
    },
    async update(record, tag) {
      if (own(record.customerId, record.id)?.tag !== tag) return undefined;
      const next = { value: copyOf(record), tag: `tag-${++tags}` };
      kept.set(record.id, next);
      return next.tag;
    },
    async recount(customerId, importId, quotaRows) {
      const found = own(customerId, importId);
      if (found) kept.set(importId, { value: { ...found.value, quotaRows }, tag: `tag-${++tags}` });
    },
    async purge(customerId, connectionId) {
      for (const [id, { value }] of kept) {
        if (value.customerId === customerId && value.connectionId === connectionId) kept.delete(id);
      }
    },
    async purgeCustomer(customerId) {
      for (const [id, { value }] of kept) if (value.customerId === customerId) kept.delete(id);
      for (const [id, pointer] of open) if (pointer.customerId === customerId) open.delete(id);
    },
    async openPointer(pointer, runningMax = Number.POSITIVE_INFINITY) {
      const { customerId, importId } = pointer;
      const others = [...open.values()].filter((one) => one.customerId === customerId && one.importId !== importId);
      if (others.length >= runningMax) throw quotaReached('imports', runningMax, 'Wait until one of them ends.');
      open.set(pointer.importId, copyOf(pointer));
    },
    async closePointer(importId) {
      open.delete(importId);
    },
    async listOpen(customerId) {
      const all = [...open.values()].filter((one) => customerId === undefined || one.customerId === customerId);
      return copyOf(all);
    },
  };
}
