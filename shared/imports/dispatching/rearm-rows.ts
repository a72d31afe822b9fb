import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import type { Ledger, LedgerChange } from '../ledger/ledger.ts';
import type { Row } from '../ledger/row.ts';
import type { SerialByKey } from '../ledger/serial-by-key.ts';
import type { TallyBook } from '../ledger/tally-book.ts';

interface Deps {
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
}

/** 49 rows with their mailboxes and one tally. */
const PAIRS_MAX = 49;

/**
 * Turns waiting rows back to pending, their attempt kept, in one transaction with the tally that counted them as waiting.
 * Resolves to the rows that are pending now, with the tags to send them by. A row that someone else has changed, or whose
 * transaction's outcome is unknown, is left out: it lies in a page that becomes overdue, should it be pending.
 */
export async function rearmRows(deps: Deps, record: Import, rows: readonly Tagged<Row>[]): Promise<Tagged<Row>[]> {
  const armed: Tagged<Row>[] = [];
  for (let i = 0; i < rows.length; i += PAIRS_MAX) {
    const some = rows.slice(i, i + PAIRS_MAX);
    armed.push(...(await deps.serialByKey.run(record.connectionId, () => rearm(deps, record, some))));
  }
  return armed;
}

async function rearm(deps: Deps, record: Import, rows: readonly Tagged<Row>[]): Promise<Tagged<Row>[]> {
  let left = [...rows];
  while (left.length > 0) {
    const entry = deps.tallies.add(record.id, { waiting: -left.length });
    const changes = left.flatMap(({ value: row, tag }): LedgerChange[] => [
      { op: 'mergeRow', importId: row.importId, line: row.line, patch: { state: 'pending', nextCheckAt: null }, tag },
      { op: 'mergeMailbox', address: row.address, patch: { status: 'pending', nextCheckAt: null } },
    ]);
    try {
      const result = await deps.ledger.commit(record.connectionId, [...changes, entry.change]);
      if (result.committed) {
        entry.committed(result.tags.at(-1) ?? '');
        return left.map(({ value }, i) => {
          const { nextCheckAt: _over, ...row } = value;
          return { value: { ...row, state: 'pending' }, tag: result.tags[2 * i] ?? '' };
        });
      }
      if (result.index >= changes.length) {
        entry.abandon();
        return [];
      }
      const lost = left[Math.floor(result.index / 2)];
      left = left.filter((row) => row !== lost);
    } catch {
      entry.abandon();
      return [];
    }
  }
  return [];
}
