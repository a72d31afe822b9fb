import type { Columns, ParsedRow, ParsedUpload } from './parsed-row.ts';
import { type RowFault, type RowFinding, rowFaults } from './row-findings.ts';

const FINDINGS_MAX = 1000;
const SAMPLE_MAX = 10;

/** Answers questions about the addresses that the connection already has. */
interface ExistingMailboxes {
  /** Whether the address is already pending, waiting, active or paused in the connection. */
  isTaken(address: string): boolean | Promise<boolean>;
  /** Whether the mailbox of this address already holds a slot, and needs no other. By default none does. */
  holdsSlot?(address: string): boolean | Promise<boolean>;
}

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
 * Finding every duplicate takes memory: about 100 bytes for each valid row, to remember its address.
 */
export async function previewUpload(
  upload: ParsedUpload,
  existing: ExistingMailboxes,
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
  const firstLines = new Map<string, number>();
  const addFinding = ({ line, address }: ParsedRow, { code, message }: RowFault): void => {
    if (preview.findings.length >= FINDINGS_MAX) preview.findingsOmitted++;
    else preview.findings.push({ line, ...(address !== '' && { address }), code, message });
  };

  for await (const row of upload.rows) {
    preview.rows++;
    if (!row.ok) {
      preview.rejected++;
      addFinding(row, row);
      continue;
    }
    const { line, address } = row;
    const firstLine = firstLines.get(address);
    if (firstLine !== undefined) {
      preview.duplicates++;
      addFinding(row, rowFaults.duplicateInFile(firstLine));
      continue;
    }
    firstLines.set(address, line);
    const taken = existing.isTaken(address);
    // Awaiting a plain boolean would cost one turn of the event loop for each of a million rows.
    if (typeof taken === 'boolean' ? taken : await taken) {
      preview.duplicates++;
      addFinding(row, rowFaults.duplicateInConnection());
      continue;
    }
    preview.accepted++;
    const holdsSlot = existing.holdsSlot?.(address) ?? false;
    if (!(typeof holdsSlot === 'boolean' ? holdsSlot : await holdsSlot)) preview.slots.needed++;
    if (preview.sample.length < SAMPLE_MAX) {
      const { ok: _ok, ...sample } = row;
      preview.sample.push(sample);
    }
  }
  return preview;
}
