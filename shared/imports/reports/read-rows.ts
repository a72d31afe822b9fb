import type { Import } from '../import.ts';
import type { Counts } from '../ledger/counts.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Row, RowState } from '../ledger/row.ts';

/** The largest page that storage returns. */
const PAGE_SIZE = 1_000;

/**
 * Reads the rows of an import in the order of the file, one page for each storage request. The next page is already
 * under way while a page is used, so two pages are held at most.
 *
 * @param states only rows in these states
 * @throws Error at the end, if an import that has ended has not as many of these rows as it counted
 */
export async function* readRowPages(
  ledger: Pick<Ledger, 'findRows'>,
  record: Pick<Import, 'id' | 'connectionId' | 'counts'>,
  states?: readonly RowState[],
): AsyncGenerator<Row[]> {
  const expected = record.counts && countOf(record.counts, states);
  let count = 0;
  // Behind the last row of a state, storage would search the rest of the import for another one.
  const sizeOfNext = () => (states && expected !== undefined ? Math.min(PAGE_SIZE, expected - count) : PAGE_SIZE);
  const read = (fromLine: number, limit: number) => {
    if (limit === 0) return Promise.resolve([]);
    const query = { fromLine, limit, ...(states && { states }) };
    const page = ledger.findRows(record.connectionId, record.id, query);
    // Its error is met when the page is needed. If the reader stops before, nobody wants to know.
    page.catch(() => undefined);
    return page;
  };
  for (let size = sizeOfNext(), next = read(0, size); ; ) {
    const rows = (await next).map(({ value }) => value);
    count += rows.length;
    const last = rows.at(-1);
    const isLast = rows.length < size || !last || sizeOfNext() === 0;
    if (!isLast) {
      size = sizeOfNext();
      next = read(last.line + 1, size);
    }
    if (rows.length > 0) yield rows;
    if (isLast) break;
  }
  if (expected !== undefined && count !== expected)
    throw new Error(`${record.id} has ${count} rows for a report, and counted ${expected}`);
}

const countNames = {
  rejected: 'rejected',
  duplicate: 'duplicates',
  pending: 'pending',
  waiting: 'waiting',
  passed: 'passed',
  failed: 'failed',
  inconclusive: 'inconclusive',
  cancelled: 'cancelled',
} as const satisfies Record<RowState, keyof Counts>;

function countOf(counts: Counts, states: readonly RowState[] | undefined): number {
  return states ? states.reduce((sum, state) => sum + counts[countNames[state]], 0) : counts.rows;
}
