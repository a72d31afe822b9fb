import type { Columns, ParsedRow, ParsedUpload, RowFinding } from './parsed-row.ts';

const FINDINGS_MAX = 1000;
const SAMPLE_MAX = 10;

/** What is known of the addresses that are in the connection already. */
export interface Existing {
  /** Whether the address is already pending, waiting, active or paused in the connection. */
  isTaken(address: string): boolean | Promise<boolean>;
  /** Whether a mailbox of the address holds a slot already, and so needs no other; by default none does. */
  holdsSlot?(address: string): boolean | Promise<boolean>;
}

export type SampleRow = Omit<Extract<ParsedRow, { ok: true }>, 'ok'>;

/** What an upload would come to if it were started now. */
export interface Preview {
  rows: number;
  accepted: number;
  rejected: number;
  duplicates: number;
  slots: { needed: number; free: number };
  columns: Columns;
  /** The first 1,000, by line. */
  findings: RowFinding[];
  /** How many findings there are beyond those. */
  findingsOmitted: number;
  /** The first ten accepted rows, as they were understood. */
  sample: SampleRow[];
}

/**
 * Reads an upload to its end and tells what starting it would do; nothing is stored. Rejects as the reading does.
 *
 * Of each sound row only its address is kept (about a tenth of a kilobyte): duplicates must be found for certain.
 */
export async function previewUpload(
  reading: ParsedUpload,
  existing: Existing,
  slots: { free: number },
): Promise<Preview> {
  const preview: Preview = {
    rows: 0,
    accepted: 0,
    rejected: 0,
    duplicates: 0,
    slots: { needed: 0, free: slots.free },
    columns: reading.columns,
    findings: [],
    findingsOmitted: 0,
    sample: [],
  };
  const lineOf = new Map<string, number>();
  const find = (finding: RowFinding): void => {
    if (preview.findings.length < FINDINGS_MAX) preview.findings.push(finding);
    else preview.findingsOmitted++;
  };

  for await (const row of reading.rows) {
    preview.rows++;
    const { line, address } = row;
    if (!row.ok) {
      preview.rejected++;
      find({ line, ...(address !== '' && { address }), code: row.code, message: row.message });
      continue;
    }
    const earlier = lineOf.get(address);
    if (earlier !== undefined) {
      preview.duplicates++;
      find({
        line,
        address,
        code: 'duplicate_in_file',
        message: `The same address stands on line ${earlier} already.`,
      });
      continue;
    }
    lineOf.set(address, line);
    const taken = existing.isTaken(address);
    // Awaiting what is no promise would cost a turn for each of a million rows.
    if (typeof taken === 'boolean' ? taken : await taken) {
      preview.duplicates++;
      const message = 'This mailbox is already connected or being checked.';
      find({ line, address, code: 'duplicate_in_connection', message });
      continue;
    }
    preview.accepted++;
    const holds = existing.holdsSlot?.(address) ?? false;
    if (!(typeof holds === 'boolean' ? holds : await holds)) preview.slots.needed++;
    if (preview.sample.length < SAMPLE_MAX) {
      const { ok: _ok, ...sample } = row;
      preview.sample.push(sample);
    }
  }
  return preview;
}
