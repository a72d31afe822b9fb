import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import { type Ledger, type LedgerChange, PAIRS_MAX } from '../ledger/ledger.ts';
import type { Row } from '../ledger/row.ts';
import type { SerialByKey } from '../ledger/serial-by-key.ts';
import type { TallyBook } from '../ledger/tally-book.ts';

interface RearmDeps {
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
}

/**
 * Turns waiting rows back to pending, in one transaction with the tally that counted them as waiting. Their attempt
 * stays.
 *
 * Resolves to the rows that are pending now, with the tags to send them by. Leaves out a row that another writer
 * changed, and the rows of a transaction whose result is unknown: if these are pending, their batch becomes overdue.
 */
export async function rearmRows(deps: RearmDeps, record: Import, rows: readonly Tagged<Row>[]): Promise<Tagged<Row>[]> {
  const rearmed: Tagged<Row>[] = [];
  for (let i = 0; i < rows.length; i += PAIRS_MAX) {
    const some = rows.slice(i, i + PAIRS_MAX);
    rearmed.push(...(await deps.serialByKey.run(record.connectionId, () => rearmTogether(deps, record, some))));
  }
  return rearmed;
}

async function rearmTogether(deps: RearmDeps, record: Import, rows: readonly Tagged<Row>[]): Promise<Tagged<Row>[]> {
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
          const { nextCheckAt: _past, ...row } = value;
          return { value: { ...row, state: 'pending' }, tag: result.tags[2 * i] ?? '' };
        });
      }
      if (result.index >= changes.length) {
        entry.abandon();
        return [];
      }
      const conflicting = left[Math.floor(result.index / 2)];
      left = left.filter((row) => row !== conflicting);
    } catch {
      entry.abandon();
      return [];
    }
  }
  return [];
}
