import { type CsvColumn, createCsvWriter } from '../imports/reports/csv-writer.ts';
import type { Delimiter } from '../imports/upload/csv-format.ts';
import type { ListedEntry } from './list-directory.ts';

/** An import reads the first two columns, and ignores the others. */
const columns: readonly CsvColumn<ListedEntry>[] = [
  ['email_address', ({ entry }) => entry.address],
  ['display_name', ({ entry }) => entry.displayName],
  ['kind', ({ entry }) => entry.kind],
  ['connected', ({ isConnected }) => String(isConnected)],
  ['eligible', ({ entry }) => String(entry.isEligible)],
  ['reason', ({ entry }) => entry.reason],
];

/** Entries that are written together: enough to be fast, and few enough to leave time for other requests. */
const TOGETHER = 250;

/** A directory as a file that an import accepts as it is, and that is harmless in a spreadsheet. */
export async function* writeDirectoryCsv(
  pages: AsyncIterable<readonly ListedEntry[]>,
  delimiter: Delimiter,
): AsyncGenerator<Uint8Array> {
  const writer = createCsvWriter(columns, delimiter);
  yield writer.header();
  for await (const entries of pages) {
    for (let from = 0; from < entries.length; from += TOGETHER) {
      yield writer.rows(entries.slice(from, from + TOGETHER));
    }
  }
}
