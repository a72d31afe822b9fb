import { probes } from '../../causes/verdict.ts';
import type { Row, RowState } from '../ledger/row.ts';
import type { Delimiter } from '../upload/csv-format.ts';
import { type CsvColumn, createCsvWriter } from './csv-writer.ts';
import { type ReportRow, toReportRow } from './report-row.ts';

/** How the rows of an import become a file. */
export interface ReportFormat {
  header(): Uint8Array | undefined;
  rows(rows: readonly Row[]): Uint8Array;
}

/** The columns that an import reads. */
const inputColumns: readonly CsvColumn<ReportRow>[] = [
  ['email_address', ({ address }) => address],
  ['display_name', ({ displayName }) => displayName],
  ['daily_limit', ({ dailyLimit }) => dailyLimit],
  ['reference', ({ reference }) => reference],
];

const [addressColumn, ...otherInputColumns] = inputColumns as [CsvColumn<ReportRow>, ...CsvColumn<ReportRow>[]];

/** `graph.readWrite` becomes `graph_read_write`. */
const headerOf = (probe: string) => probe.replace('.', '_').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const reportColumns: readonly CsvColumn<ReportRow>[] = [
  ['line', ({ line }) => line],
  addressColumn,
  ['state', ({ state }) => state],
  ...probes.map((probe): CsvColumn<ReportRow> => [headerOf(probe), ({ verdicts }) => verdicts[probe]]),
  ['cause', ({ cause, code }) => cause ?? code],
  ['problem', ({ problem }) => problem],
  ['fix', ({ fix }) => fix],
  ['link', ({ link }) => link],
  ['microsoft_code', ({ microsoftCode }) => microsoftCode],
  ['microsoft_request_id', ({ requestId }) => requestId],
  ['checked_at', ({ checkedAt }) => checkedAt],
  ['next_check_at', ({ nextCheckAt }) => nextCheckAt],
  ...otherInputColumns,
  ['mailbox', ({ mailbox }) => mailbox],
];

/** An import ignores the last two columns. They are for the person who corrects the file. */
const failedColumns: readonly CsvColumn<ReportRow>[] = [
  ...inputColumns,
  ['problem', ({ problem }) => problem],
  ['fix', ({ fix }) => fix],
];

/** Every row, with all that is known about it. */
export const reportCsv = (delimiter: Delimiter) => csvFormat(reportColumns, delimiter);

/** What an import needs to try these rows again, and what to correct before. */
export const failedCsv = (delimiter: Delimiter) => csvFormat(failedColumns, delimiter);

function csvFormat(columns: readonly CsvColumn<ReportRow>[], delimiter: Delimiter): ReportFormat {
  const writer = createCsvWriter(columns, delimiter);
  return { header: writer.header, rows: (rows) => writer.rows(rows.map(toReportRow)) };
}

/** One JSON object per line. */
export function jsonLines(present: (row: ReportRow) => unknown): ReportFormat {
  return {
    header: () => undefined,
    rows: (rows) => Buffer.from(rows.map((row) => `${JSON.stringify(present(toReportRow(row)))}\n`).join('')),
  };
}

/** The rows that can be corrected and imported again. A duplicate would be one again. */
export const failedStates = ['rejected', 'failed', 'inconclusive'] as const satisfies RowState[];
