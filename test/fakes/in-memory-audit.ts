import type { AuditLog, AuditRecord } from '../../shared/kernel/audit-log.ts';
import { pageOf } from './page-of.ts';

/** Audit records in memory. */
export function inMemoryAudit(): AuditLog & { records(): AuditRecord[] } {
  const kept = new Map<string, AuditRecord>();
  const newestFirst = () => [...kept.values()].sort((a, b) => (a.id > b.id ? -1 : 1));
  const put = (record: AuditRecord) => void kept.set(record.id, structuredClone(record));
  return {
    /** Newest first. */
    records: () => structuredClone(newestFirst()),
    async insert(intent) {
      put(intent);
    },
    async complete(intent, result) {
      if (kept.has(intent.id)) put({ ...intent, ...result });
    },
    async list({ customerId, from, action }, page) {
      const found = newestFirst()
        .filter((record) => customerId === undefined || record.customerId === customerId)
        .filter((record) => from === undefined || record.at >= from)
        .filter((record) => action === undefined || record.action === action);
      return structuredClone(pageOf(found, page));
    },
    async removeBefore(before, max) {
      const old = newestFirst().filter(({ at }) => at < before);
      for (const { id } of old.slice(0, max)) kept.delete(id);
      return Math.min(old.length, max);
    },
    async purge(customerId) {
      for (const record of newestFirst()) if (record.customerId === customerId) kept.delete(record.id);
    },
  };
}
