import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import { CHANGES_MAX, type Ledger } from '../ledger/ledger.ts';
import type { PlanRecord } from '../ledger/plan-record.ts';
import type { ParsedRow, ParsedUpload } from '../upload/parsed-row.ts';
import { createKnownMailboxes, type KnownMailboxes } from './known-mailboxes.ts';
import { toRow } from './planned-row.ts';
import { createRowReader, type RowReader } from './row-reader.ts';
import { writeGroup } from './write-group.ts';

interface PlanRowsDeps {
  ledger: Ledger;
  /** Reads an import's upload from the first line after `afterLine`. `undefined` if the upload is gone. */
  readUpload: (record: Import, afterLine: number) => Promise<ParsedUpload | undefined>;
  clock: Clock;
  planShiftMs: number;
}

type PlanRowsResult =
  | 'done'
  /** Another planner is at work. */
  | 'superseded'
  /** The shift is over; the next message continues. */
  | 'handOver'
  | 'uploadGone';

/** Rows that are read ahead when the connection has most of the addresses of a file. */
const READ_AHEAD = 1_000;

/**
 * Writes the rows and mailboxes of an upload, starting after the checkpoint. Each transaction moves the checkpoint.
 *
 * Takes every mailbox for new until a transaction says otherwise, so a file of new mailboxes costs no reads. Where the
 * connection has most of the addresses, asks for many of them together before it writes. Holds `READ_AHEAD` rows and
 * some known mailboxes, whatever the size of the file and the connection.
 */
export async function planRows(
  deps: PlanRowsDeps,
  record: Import,
  checkpoint: Tagged<PlanRecord>,
): Promise<PlanRowsResult> {
  const shiftEnds = deps.clock.now().getTime() + deps.planShiftMs;
  const upload = await deps.readUpload(record, checkpoint.value.line);
  if (!upload) return 'uploadGone';
  const reader = createRowReader(upload.rows);
  const known = createKnownMailboxes(deps.ledger, record.connectionId);
  let plan = checkpoint;
  let mostAreKnown = false;
  /** How many of the next rows have been asked for together. A group must not reach beyond them. */
  let asked = 0;
  try {
    for (;;) {
      if (mostAreKnown && asked < CHANGES_MAX) {
        const rows = await reader.peekMany(READ_AHEAD);
        mostAreKnown = await known.read(addressesOf(rows));
        const isRest = rows.length < READ_AHEAD;
        asked = isRest ? Number.POSITIVE_INFINITY : rows.length;
      }
      const group = await takeGroup(record.id, reader, known);
      asked -= group.length;
      const isLast = (await reader.peek()) === undefined;
      const written = await writeGroup(deps, { record, plan, group, known, isLast, mostAreKnown });
      if (!written) return 'superseded';
      if (isLast) return 'done';
      ({ plan, mostAreKnown } = written);
      if (deps.clock.now().getTime() >= shiftEnds) return 'handOver';
    }
  } finally {
    await reader.close();
  }
}

function addressesOf(rows: readonly ParsedRow[]): string[] {
  return [...new Set(rows.flatMap((row) => (row.ok ? [row.address] : [])))];
}

/** Takes as many rows as fit into one transaction: the checkpoint, and one or two changes for each row. */
async function takeGroup(importId: string, reader: RowReader, known: KnownMailboxes): Promise<ParsedRow[]> {
  const group: ParsedRow[] = [];
  const opened = new Set<string>();
  let size = 1;
  for (;;) {
    const row = await reader.peek();
    if (!row) return group;
    const opensMailbox =
      !opened.has(row.address) && toRow(importId, row, known.get(row.address)?.value).state === 'pending';
    size += opensMailbox ? 2 : 1;
    if (size > CHANGES_MAX) return group;
    if (opensMailbox) opened.add(row.address);
    group.push(row);
    reader.skip();
  }
}
