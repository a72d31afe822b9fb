import { isTransient } from '../../kernel/errors.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import { type Ledger, type LedgerChange, PAIRS_MAX, type Patch } from './ledger.ts';
import { isSettled, type Row } from './row.ts';
import type { SerialByKey } from './serial-by-key.ts';
import type { SettledMailbox } from './settled-mailbox.ts';
import { addCounts, type TallyCounts, zeroCounts } from './tally.ts';
import type { TallyBook } from './tally-book.ts';

export interface ChangeRowsDeps {
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
}

export interface RowChange {
  row: Patch<Row>;
  mailbox: Patch<Mailbox>;
  counts: Partial<TallyCounts>;
}

/**
 * Changes rows and their mailboxes, in transactions with the tally that counts the change.
 *
 * Resolves to the rows that were changed, with their new tags. Leaves out a row that another writer changed, and the
 * rows of a transaction whose result is unknown.
 */
export async function changeRows(
  deps: ChangeRowsDeps,
  { connectionId, id: importId }: { connectionId: string; id: string },
  rows: readonly Tagged<Row>[],
  changeOf: (row: Row) => RowChange,
): Promise<Tagged<Row>[]> {
  const changed: Tagged<Row>[] = [];
  for (let i = 0; i < rows.length; i += PAIRS_MAX) {
    const some = rows.slice(i, i + PAIRS_MAX);
    const work = () => changeTogether(deps, connectionId, importId, some, changeOf);
    changed.push(...(await deps.serialByKey.run(connectionId, work)));
  }
  return changed;
}

async function changeTogether(
  deps: ChangeRowsDeps,
  connectionId: string,
  importId: string,
  rows: readonly Tagged<Row>[],
  changeOf: (row: Row) => RowChange,
): Promise<Tagged<Row>[]> {
  let left = rows.map((row) => ({ ...row, change: changeOf(row.value) }));
  while (left.length > 0) {
    const counts = left.reduce((sum, { change }) => addCounts(sum, change.counts), { ...zeroCounts });
    const settled = left.flatMap(({ value, change }) => settledBy(value, change));
    const entry = deps.tallies.add(importId, counts, settled);
    const changes = left.flatMap(({ value: row, tag, change }): LedgerChange[] => [
      { op: 'mergeRow', importId, line: row.line, patch: change.row, tag },
      { op: 'mergeMailbox', address: row.address, patch: change.mailbox },
    ]);
    const result = await deps.ledger.commit(connectionId, [...changes, ...entry.changes]).catch((error: unknown) => {
      entry.abandon();
      if (!isTransient(error)) throw error;
    });
    if (result?.committed) {
      entry.committed(result.tags.at(-1) ?? '');
      return left.map(({ value, change }, i) => ({ value: merged(value, change.row), tag: result.tags[2 * i] ?? '' }));
    }
    if (!result || result.index >= changes.length) {
      entry.abandon();
      return [];
    }
    const conflicting = left[Math.floor(result.index / 2)];
    left = left.filter((row) => row !== conflicting);
  }
  return [];
}

function settledBy({ line, address }: Row, { row: { state, cause } }: RowChange): SettledMailbox[] {
  return state && isSettled(state) ? [{ line, address, state, ...(cause && { cause }) }] : [];
}

/** `null` clears a field. */
function merged(row: Row, patch: Patch<Row>): Row {
  const result = { ...row };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, field);
    else Reflect.set(result, field, value);
  }
  return result;
}
