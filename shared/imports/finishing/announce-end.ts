import type { Import } from '../import.ts';
import { changeImport, type ImportStore } from '../import-store.ts';
import { rowsOfQuota } from '../ledger/counts.ts';
import type { Retention } from '../retention/removal-schedule.ts';

/**
 * Receives the end of each import. The same end can arrive twice: if a process dies between announcing and recording it,
 * or if two processes announce it at the same time.
 */
export interface ImportEvents {
  ended(record: Import): Promise<void>;
}

export interface AnnounceDeps {
  imports: ImportStore;
  importEvents: ImportEvents;
  retention: Pick<Retention, 'removals' | 'rowsKeptMs'>;
}

/**
 * Counts an ended import for the customer's quota, notes when its rows are to be removed, announces its end, and removes
 * its pointer. Repeatable.
 */
export async function announceEnd(deps: AnnounceDeps, record: Import): Promise<void> {
  if (record.eventPending) {
    if (record.counts)
      await deps.imports.recount(record.customerId, record.id, rowsOfQuota(record.counts, record.action));
    const rowsExpireAt = await scheduleRowRemoval(deps.retention, record);
    await deps.importEvents.ended(record);
    await changeImport(deps.imports, record.customerId, record.id, (current) =>
      current.eventPending ? { ...current, rowsExpireAt, eventPending: false } : undefined,
    );
  }
  await deps.imports.closePointer(record.id);
}

async function scheduleRowRemoval({ removals, rowsKeptMs }: AnnounceDeps['retention'], record: Import): Promise<Date> {
  const { customerId, connectionId, id: importId, finishedAt = record.createdAt } = record;
  const removeAt = new Date(finishedAt.getTime() + rowsKeptMs);
  await removals.put({ kind: 'rows', customerId, connectionId, importId, removeAt });
  return removeAt;
}
