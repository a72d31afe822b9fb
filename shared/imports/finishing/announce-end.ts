import type { Import } from '../import.ts';
import { changeImport, type ImportStore } from '../import-store.ts';
import { countUnchecked } from '../ledger/counts.ts';

/**
 * Receives the end of each import. The same end can arrive twice: if a process dies between announcing and recording it,
 * or if two processes announce it at the same time.
 */
export interface ImportEvents {
  ended(record: Import): Promise<void>;
}

/** Counts an ended import for the customer's quota, announces its end, and removes its pointer. Repeatable. */
export async function announceEnd(
  deps: { imports: ImportStore; importEvents: ImportEvents },
  record: Import,
): Promise<void> {
  if (record.eventPending) {
    if (record.counts) await deps.imports.recount(record.customerId, record.id, countUnchecked(record.counts));
    await deps.importEvents.ended(record);
    await changeImport(deps.imports, record.customerId, record.id, (current) =>
      current.eventPending ? { ...current, eventPending: false } : undefined,
    );
  }
  await deps.imports.closePointer(record.id);
}
