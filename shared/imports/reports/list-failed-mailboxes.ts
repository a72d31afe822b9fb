import type { CauseCode } from '../../causes/causes.ts';
import type { Import } from '../import.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { requireRows } from '../require-import.ts';

/** How many addresses one list has. They go into a text that a person reads. */
const ADDRESSES_MAX = 1_000;

/** The largest page that storage returns, and how many of them one list reads: rows with other causes are skipped. */
const PAGE_SIZE = 1_000;
const PAGES_MAX = 5;

export interface FailedMailboxes {
  addresses: string[];
  /** The line from which the next list goes on. Absent if this one has the last of them. */
  nextLine?: number;
}

/**
 * The mailboxes of an import that failed with one of these causes, in the order of the file, from a line on. Reads at most
 * five pages, whatever the size of the import, and however long storage searches for failed rows. So a list may be short or
 * empty and still have a `nextLine`.
 *
 * @throws DomainError `gone` if the rows of the import have been deleted
 */
export async function listFailedMailboxes(
  { ledger }: { ledger: Pick<Ledger, 'scanRows'> },
  record: Import,
  causes: readonly CauseCode[],
  fromLine = 0,
): Promise<FailedMailboxes> {
  requireRows(record);
  const addresses: string[] = [];
  for (let page = 0; page < PAGES_MAX; page++) {
    const query = { fromLine, states: ['failed'] as const, limit: PAGE_SIZE };
    const { rows, nextLine } = await ledger.scanRows(record.connectionId, record.id, query);
    for (const row of rows) {
      if (!row.cause || !causes.includes(row.cause)) continue;
      if (addresses.length === ADDRESSES_MAX) return { addresses, nextLine: row.line };
      addresses.push(row.address);
    }
    if (nextLine === undefined) return { addresses };
    if (nextLine === fromLine) break;
    fromLine = nextLine;
  }
  return { addresses, nextLine: fromLine };
}
