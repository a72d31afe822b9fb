import { DomainError } from '../../kernel/errors.ts';
import type { Import } from '../import.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Row, RowState } from '../ledger/row.ts';
import { requireRows } from '../require-import.ts';
import { readRowPages } from './read-rows.ts';
import type { ReportFormat } from './report-files.ts';

/** Rows that are written together: enough to be fast, and few enough to leave time for other requests. */
const ROWS_TOGETHER = 250;

/**
 * Opens a report of what is known now. Resolves once it is certain that there is something to report; the rows are read
 * as the report is.
 *
 * The iteration rejects if storage fails midway. What was written by then is not the whole report.
 *
 * @throws DomainError `gone` if the rows of the import have been deleted
 */
export async function openReport(
  { ledger }: { ledger: Pick<Ledger, 'findRows'> },
  record: Import,
  format: ReportFormat,
  states?: readonly RowState[],
): Promise<AsyncIterable<Uint8Array>> {
  requireRows(record);
  const [first] = await ledger.findRows(record.connectionId, record.id, { fromLine: 0, limit: 1 });
  if (!first && record.counts && record.counts.rows > 0) throw rowsGone();
  return writeReport(readRowPages(ledger, record, states), format);
}

async function* writeReport(pages: AsyncIterable<readonly Row[]>, format: ReportFormat) {
  const header = format.header();
  if (header) yield header;
  for await (const rows of pages) {
    for (let from = 0; from < rows.length; from += ROWS_TOGETHER) {
      yield format.rows(rows.slice(from, from + ROWS_TOGETHER));
    }
  }
}

export function rowsGone(): DomainError {
  return new DomainError(
    'gone',
    'The rows of this import have been deleted, because the time for which they are kept is over. The import still has its counts.',
  );
}
