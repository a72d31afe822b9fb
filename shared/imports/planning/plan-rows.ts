import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Import } from '../import.ts';
import { CHANGES_MAX, type Ledger, type LedgerChange } from '../ledger/ledger.ts';
import type { PlanRecord } from '../ledger/plan-record.ts';
import type { ParsedUpload } from '../upload/parsed-row.ts';
import { openMailbox } from './open-mailbox.ts';
import { type PlannedRow, toRow } from './planned-row.ts';

interface PlanRowsDeps {
  ledger: Ledger;
  readUpload: (record: Import) => Promise<ParsedUpload | undefined>;
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

/** Writes the rows and mailboxes of an upload, starting after the checkpoint. Each transaction moves the checkpoint. */
export async function planRows(
  deps: PlanRowsDeps,
  record: Import,
  checkpoint: Tagged<PlanRecord>,
): Promise<PlanRowsResult> {
  const shiftEnds = deps.clock.now().getTime() + deps.planShiftMs;
  const upload = await deps.readUpload(record);
  if (!upload) return 'uploadGone';
  const known = new Map<string, Tagged<Mailbox>>();
  for await (const mailbox of deps.ledger.eachMailbox(record.connectionId)) known.set(mailbox.value.address, mailbox);

  const firstLineOf = new Map<string, number>();
  let plan = checkpoint;
  let group: PlannedRow[] = [];
  // Changes in the transaction: the checkpoint, and one or two for each row.
  let size = 1;
  for await (const parsed of upload.rows) {
    const firstLine = parsed.ok ? firstLineOf.get(parsed.address) : undefined;
    if (parsed.ok && firstLine === undefined) firstLineOf.set(parsed.address, parsed.line);
    // The lines up to the checkpoint are written already. They only tell which addresses have occurred.
    if (parsed.line <= checkpoint.value.line) continue;
    if (size + 2 > CHANGES_MAX) {
      const written = await writeGroup(deps, record, plan, group, known, false);
      if (!written) return 'superseded';
      if (deps.clock.now().getTime() >= shiftEnds) return 'handOver';
      plan = written;
      group = [];
      size = 1;
    }
    group.push({ parsed, firstLine });
    size += parsed.ok && firstLine === undefined ? 2 : 1;
  }
  return (await writeGroup(deps, record, plan, group, known, true)) ? 'done' : 'superseded';
}

/** Writes rows, mailboxes and checkpoint in one transaction. Resolves to `undefined` if another planner is at work. */
async function writeGroup(
  deps: PlanRowsDeps,
  record: Import,
  plan: Tagged<PlanRecord>,
  group: readonly PlannedRow[],
  known: Map<string, Tagged<Mailbox>>,
  isLast: boolean,
): Promise<Tagged<PlanRecord> | undefined> {
  for (;;) {
    const now = deps.clock.now();
    const next: PlanRecord = { ...plan.value, movedAt: now, done: isLast };
    const changes: LedgerChange[] = [];
    const addresses: (string | undefined)[] = [];
    for (const planned of group) {
      const mailbox = planned.parsed.ok ? known.get(planned.parsed.address) : undefined;
      const row = toRow(record.id, planned, mailbox?.value);
      next.line = row.line;
      next.rows++;
      changes.push({ op: 'createRow', row });
      addresses.push(undefined);
      if (row.state === 'rejected') next.rejected++;
      else if (row.state === 'duplicate') next.duplicates++;
      else {
        next.accepted++;
        if (!mailbox?.value.slotClaimedBy) next.slotsNeeded++;
        changes.push(openMailbox(row, mailbox, now));
        addresses.push(row.address);
      }
    }
    const { importId: _same, ...patch } = next;
    changes.push({ op: 'mergePlan', importId: record.id, patch, tag: plan.tag });
    const result = await deps.ledger.commit(record.connectionId, changes);
    if (result.committed) return { value: next, tag: result.tags.at(-1) ?? '' };
    const address = addresses[result.index];
    // A row that exists or a checkpoint that moved: another planner wrote it, or we did and the answer was lost.
    if (address === undefined) return undefined;
    const current = await deps.ledger.getMailbox(record.connectionId, address);
    if (current) known.set(address, current);
    else known.delete(address);
  }
}
