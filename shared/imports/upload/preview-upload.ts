import { createAddressMap } from './address-map.ts';
import type { Columns, ParsedRow, ParsedUpload } from './parsed-row.ts';
import { countFinding, type FindingCounts, type RowFault, type RowFinding, rowFaults } from './row-findings.ts';

const FINDINGS_MAX = 1000;
const SAMPLE_MAX = 10;
/** Rows whose addresses are asked for together. */
const ROWS_TOGETHER = 1_000;

/** What the connection already has of an address. */
export interface ExistingMailbox {
  /** It is pending, waiting, active or paused. */
  isTaken: boolean;
  /** It needs no other slot. */
  holdsSlot: boolean;
}

/** The connection's mailboxes for these addresses, by address. */
export type FindExisting = (addresses: readonly string[]) => Promise<ReadonlyMap<string, ExistingMailbox>>;

type SampleRow = Omit<Extract<ParsedRow, { ok: true }>, 'ok' | 'warning'>;

/** What would happen if an import started now with this upload. */
export interface Preview {
  rows: number;
  accepted: number;
  rejected: number;
  duplicates: number;
  slots: { needed: number; free: number };
  columns: Columns;
  /** The first 1,000, by line. */
  findings: RowFinding[];
  /** The number of findings beyond the first 1,000. */
  findingsOmitted: number;
  /** All findings, also those that are not listed. */
  findingCounts: FindingCounts;
  /** The first ten accepted rows, as parsed. */
  sample: SampleRow[];
}

/** Collects what starting an import with the added rows would do. */
export interface PreviewBook {
  /** Add the rows in their order. Each call must settle before the next one. */
  add(row: ParsedRow): Promise<void> | undefined;
  /** Call it once, after the last row. */
  close(columns: Columns): Promise<Preview>;
}

/**
 * Stores nothing. Finding every duplicate takes memory: 18 to 36 bytes for each different address, see
 * `createAddressMap`.
 */
export function createPreviewBook(findExisting: FindExisting, slots: { free: number }): PreviewBook {
  const preview: Omit<Preview, 'columns'> = {
    rows: 0,
    accepted: 0,
    rejected: 0,
    duplicates: 0,
    slots: { needed: 0, free: slots.free },
    findings: [],
    findingsOmitted: 0,
    findingCounts: {},
    sample: [],
  };
  const firstLines = createAddressMap();
  let group: ParsedRow[] = [];

  function addFinding({ line, address }: ParsedRow, result: RowFinding['result'], fault: RowFault): void {
    const { code, message, firstLine, suggestion } = fault;
    countFinding(preview.findingCounts, code);
    if (preview.findings.length >= FINDINGS_MAX) {
      preview.findingsOmitted++;
      return;
    }
    preview.findings.push({
      line,
      ...(address !== '' && { address }),
      result,
      code,
      message,
      ...(firstLine !== undefined && { firstLine }),
      ...(suggestion !== undefined && { suggestion }),
    });
  }

  function addDuplicate(row: ParsedRow, fault: RowFault): void {
    preview.duplicates++;
    addFinding(row, 'duplicate', fault);
  }

  function judge(row: ParsedRow, existing: ReadonlyMap<string, ExistingMailbox>): void {
    preview.rows++;
    if (!row.ok) {
      preview.rejected++;
      addFinding(row, 'rejected', row);
      return;
    }
    const mailbox = existing.get(row.address);
    // Planning decides in this order, too: a mailbox that is taken is a duplicate on each of its lines.
    if (mailbox?.isTaken) {
      addDuplicate(row, rowFaults.duplicateInConnection());
      return;
    }
    const firstLine = firstLines.add(row.address, row.line);
    if (firstLine !== undefined) {
      addDuplicate(row, rowFaults.duplicateInFile(firstLine));
      return;
    }
    preview.accepted++;
    if (row.warning) addFinding(row, 'accepted', row.warning);
    if (!mailbox?.holdsSlot) preview.slots.needed++;
    if (preview.sample.length < SAMPLE_MAX) {
      const { ok: _ok, warning: _warning, ...sample } = row;
      preview.sample.push(sample);
    }
  }

  async function judgeGroup(): Promise<void> {
    const rows = group;
    group = [];
    const existing = await findExisting([...new Set(rows.flatMap((row) => (row.ok ? [row.address] : [])))]);
    for (const row of rows) judge(row, existing);
  }

  return {
    add(row) {
      group.push(row);
      return group.length < ROWS_TOGETHER ? undefined : judgeGroup();
    },
    async close(columns) {
      if (group.length > 0) await judgeGroup();
      const { rows, accepted, rejected, duplicates, slots, ...lists } = preview;
      return { rows, accepted, rejected, duplicates, slots, columns, ...lists };
    },
  };
}

/** Reads an upload to its end and tells what starting an import with it would do. Rejects if the file is unreadable. */
export async function previewUpload(
  upload: ParsedUpload,
  findExisting: FindExisting,
  slots: { free: number },
): Promise<Preview> {
  const book = createPreviewBook(findExisting, slots);
  for await (const row of upload.rows) {
    const added = book.add(row);
    if (added) await added;
  }
  return book.close(upload.columns);
}
