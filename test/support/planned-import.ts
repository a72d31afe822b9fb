import type { Findings } from '../../shared/causes/verdict.ts';
import type { Import } from '../../shared/imports/import.ts';
import type { ImportStore } from '../../shared/imports/import-store.ts';
import { type Ledger, type LedgerChange, PAIRS_MAX } from '../../shared/imports/ledger/ledger.ts';
import { openRowOf, type RowState } from '../../shared/imports/ledger/row.ts';
import type { Slots } from '../../shared/plans/slots.ts';
import { aMailbox, anImport, aPlan, aRow, aTally, RECORDS_NOW } from './records.ts';

const FIRST_LINE = 2;

interface Stores {
  imports: ImportStore;
  ledger: Ledger;
  slots: Slots;
}

/** What has become of the rows of an import so far, in this order. */
export type RowRun = { rows: number; state: RowState; checks?: Findings };

/** Stores an import whose rows are planned, with the slots that they need, as planning and checks leave it. */
export async function storePlannedImport(
  { imports, ledger, slots }: Stores,
  runs: readonly RowRun[],
  change: Partial<Import> = {},
): Promise<Import> {
  const accepted = runs.reduce((sum, { rows }) => sum + rows, 0);
  const record = anImport({ cursor: FIRST_LINE + accepted, dispatched: accepted, ...change });
  const { id: importId, customerId, connectionId } = record;
  await slots.open(customerId, 1_000_000);
  await slots.claim(customerId, importId, accepted);
  await imports.openPointer({ importId, customerId, connectionId, openedAt: RECORDS_NOW });
  let line = FIRST_LINE;
  const counts: Partial<Record<RowState, number>> = {};
  let changes: LedgerChange[] = [];
  for (const { rows, state, checks = {} } of runs) {
    counts[state] = (counts[state] ?? 0) + rows;
    for (let i = 0; i < rows; i++, line++) {
      changes.push(...planned(importId, line, state, checks));
      if (changes.length < 2 * PAIRS_MAX) continue;
      await ledger.commit(connectionId, changes);
      changes = [];
    }
  }
  const plan = aPlan({ importId, line: line - 1, rows: accepted, accepted, slotsNeeded: accepted, done: true });
  await ledger.commit(connectionId, [
    ...changes,
    { op: 'createPlan', plan },
    { op: 'writeTally', tally: aTally({ importId, counts: { ...counts, slotsFreed: counts.failed ?? 0 } }) },
  ]);
  await imports.insert(record);
  return record;
}

/** A row and its mailbox. The addresses sort in another order than the lines. */
function planned(importId: string, line: number, state: RowState, checks: Findings): LedgerChange[] {
  const address = `user${String(line).split('').reverse().join('')}-${importId}@contoso.example`;
  const isOpen = state === 'pending' || state === 'waiting';
  const cause = Object.values(checks).find(({ verdict }) => verdict === 'failed')?.cause;
  const status = state === 'passed' ? 'active' : state === 'failed' || state === 'inconclusive' ? state : 'pending';
  return [
    { op: 'createRow', row: aRow({ importId, line, address, state, takesSlot: true, ...(cause && { cause }) }) },
    {
      op: 'createMailbox',
      mailbox: aMailbox({
        address,
        status,
        checks,
        importId,
        line,
        ...(state !== 'failed' && { slotClaimedBy: importId }),
        ...(isOpen && { openRow: openRowOf({ importId, line }) }),
      }),
    },
  ];
}
