import { createAddressMap } from './address-map.ts';
import type { Columns, ParsedRow, ParsedUpload } from './parsed-row.ts';
import { type RowFault, type RowFinding, rowFaults } from './row-findings.ts';

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

type SampleRow = Omit<Extract<ParsedRow, { ok: true }>, 'ok'>;

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
  /** The first ten accepted rows, as parsed. */
  sample: SampleRow[];
}

/**
 * Reads an upload to its end and tells what starting an import with it would do. Stores nothing. Rejects if the file is
 * unreadable.
 *
 * Finding every duplicate takes memory: 18 to 36 bytes for each different address, see `createAddressMap`.
 */
export async function previewUpload(
  upload: ParsedUpload,
  findExisting: FindExisting,
  slots: { free: number },
): Promise<Preview> {
  const preview: Preview = {
    rows: 0,
    accepted: 0,
    rejected: 0,
    duplicates: 0,
    slots: { needed: 0, free: slots.free },
    columns: upload.columns,
    findings: [],
    findingsOmitted: 0,
    sample: [],
  };
  const firstLines = createAddressMap();
  const addFinding = ({ line, address }: ParsedRow, { code, message }: RowFault): void => {
    if (preview.findings.length >= FINDINGS_MAX) preview.findingsOmitted++;
    else preview.findings.push({ line, ...(address !== '' && { address }), code, message });
  };
  const addDuplicate = (row: ParsedRow, fault: RowFault): void => {
    preview.duplicates++;
    addFinding(row, fault);
  };

  for await (const rows of inGroups(upload.rows, ROWS_TOGETHER)) {
    const existing = await findExisting([...new Set(rows.flatMap((row) => (row.ok ? [row.address] : [])))]);
    for (const row of rows) {
      preview.rows++;
      if (!row.ok) {
        preview.rejected++;
        addFinding(row, row);
        continue;
      }
      const { line, address } = row;
      const mailbox = existing.get(address);
      // Planning decides in this order, too: a mailbox that is taken is a duplicate on each of its lines.
      if (mailbox?.isTaken) {
        addDuplicate(row, rowFaults.duplicateInConnection());
        continue;
      }
      const firstLine = firstLines.add(address, line);
      if (firstLine !== undefined) {
        addDuplicate(row, rowFaults.duplicateInFile(firstLine));
        continue;
      }
      preview.accepted++;
      if (!mailbox?.holdsSlot) preview.slots.needed++;
      if (preview.sample.length < SAMPLE_MAX) {
        const { ok: _ok, ...sample } = row;
        preview.sample.push(sample);
      }
    }
  }
  return preview;
}

async function* inGroups(rows: AsyncIterable<ParsedRow>, size: number): AsyncGenerator<ParsedRow[]> {
  let group: ParsedRow[] = [];
  for await (const row of rows) {
    group.push(row);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
