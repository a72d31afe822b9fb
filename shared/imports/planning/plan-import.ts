import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Slots } from '../../plans/slots.ts';
import { cancelImport } from '../cancel-import.ts';
import { openRowOf } from '../finishing/cancel-open-rows.ts';
import type { Import } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import { changeImport, type ImportStore } from '../import-store.ts';
import { CHANGES_MAX, type Ledger, type LedgerChange } from '../ledger/ledger.ts';
import { newPlanRecord, type PlanRecord } from '../ledger/plan-record.ts';
import type { ParsedUpload } from '../upload/parsed-row.ts';
import { judgeAgainst, type PlannedRow, rowOf } from './planned-row.ts';

export interface PlanDeps {
  imports: ImportStore;
  ledger: Ledger;
  importQueues: ImportQueues;
  slots: Pick<Slots, 'claim'>;
  /** Reads an import's upload from its beginning; `undefined` when it is not there any more. */
  readUpload: (record: Import) => Promise<ParsedUpload | undefined>;
  clock: Clock;
  /** How long one message plans before it hands over to the next. */
  planShiftMs: number;
}

/**
 * Turns an upload into rows and mailboxes, claims the slots they need and starts the checks.
 *
 * Rows are written together with the checkpoint that says how far planning has come, so a replay goes on exactly where
 * an earlier try stopped. Two planners at once are harmless: the one whose checkpoint is stale stops. What is wrong with
 * the plan as a whole (no slots left, the upload gone) ends the import as `failed` with that finding.
 */
export async function planImport(deps: PlanDeps, customerId: string, importId: string): Promise<void> {
  const record = await changeImport(deps.imports, customerId, importId, (current) =>
    current.status === 'accepted' || current.status === 'planning' ? { ...current, status: 'planning' } : undefined,
  );
  if (!record) return;
  const plan = await startOrResume(deps, record);
  if (plan.value.closed) return;
  if (!plan.value.done) {
    const outcome = await planRows(deps, record, plan);
    if (outcome === 'superseded') return;
    if (outcome === 'handOver') return deps.importQueues.sendPlan({ v: 1, customerId, importId });
    if (outcome === 'uploadGone') {
      await cancelImport(deps, customerId, importId, 'failed', {
        code: 'upload_missing',
        detail: 'The uploaded file is not there any more. Send it again.',
        seenAt: deps.clock.now(),
      });
      return;
    }
  }
  await start(deps, record);
}

async function startOrResume(deps: PlanDeps, record: Import): Promise<Tagged<PlanRecord>> {
  for (;;) {
    const found = await deps.ledger.getPlan(record.connectionId, record.id);
    if (found) return found;
    const plan = newPlanRecord(record.id, deps.clock.now());
    const result = await deps.ledger.commit(record.connectionId, [{ op: 'createPlan', plan }]);
    if (result.committed) return { value: plan, tag: result.tags[0] ?? '' };
  }
}

type PlanOutcome = 'done' | 'superseded' | 'handOver' | 'uploadGone';

async function planRows(deps: PlanDeps, record: Import, from: Tagged<PlanRecord>): Promise<PlanOutcome> {
  const shiftEnds = deps.clock.now().getTime() + deps.planShiftMs;
  const reading = await deps.readUpload(record);
  if (!reading) return 'uploadGone';
  const known = new Map<string, Tagged<Mailbox>>();
  for await (const mailbox of deps.ledger.eachMailbox(record.connectionId)) known.set(mailbox.value.address, mailbox);

  const seen = new Set<string>();
  let plan = from;
  let batch: PlannedRow[] = [];
  let size = 1;
  const flush = async (): Promise<boolean> => {
    const written = await writeTogether(deps, record, plan, batch, known, false);
    if (!written) return false;
    plan = written;
    batch = [];
    size = 1;
    return true;
  };
  for await (const judged of reading.rows) {
    const isRepeated = judged.ok && seen.has(judged.address);
    if (judged.ok) seen.add(judged.address);
    // Lines below the checkpoint are ours from an earlier try; they only say which addresses the file has had.
    if (judged.line <= from.value.line) continue;
    if (size + 2 > CHANGES_MAX) {
      if (!(await flush())) return 'superseded';
      if (deps.clock.now().getTime() >= shiftEnds) return 'handOver';
    }
    batch.push({ judged, isRepeated });
    size += judged.ok && !isRepeated ? 2 : 1;
  }
  return (await writeTogether(deps, record, plan, batch, known, true)) ? 'done' : 'superseded';
}

/** Writes rows, mailboxes and checkpoint in one transaction; resolves to `undefined` when another planner is at work. */
async function writeTogether(
  deps: PlanDeps,
  record: Import,
  plan: Tagged<PlanRecord>,
  batch: readonly PlannedRow[],
  known: Map<string, Tagged<Mailbox>>,
  isLast: boolean,
): Promise<Tagged<PlanRecord> | undefined> {
  for (;;) {
    const now = deps.clock.now();
    const next: PlanRecord = { ...plan.value, movedAt: now, done: isLast };
    const changes: LedgerChange[] = [];
    const addresses: (string | undefined)[] = [];
    for (const planned of batch) {
      const mailbox = planned.judged.ok ? known.get(planned.judged.address)?.value : undefined;
      const row = rowOf(record.id, planned, judgeAgainst(planned, mailbox));
      next.line = row.line;
      next.rows++;
      changes.push({ op: 'createRow', row });
      addresses.push(undefined);
      if (row.state === 'rejected') next.rejected++;
      else if (row.state === 'duplicate') next.duplicates++;
      else {
        next.accepted++;
        const tagged = known.get(row.address);
        if (!tagged?.value.slotClaimedBy) next.slotsNeeded++;
        changes.push(openMailbox(record.id, row, tagged, now));
        addresses.push(row.address);
      }
    }
    const { importId: _same, ...patch } = next;
    changes.push({ op: 'mergePlan', importId: record.id, patch, tag: plan.tag });
    const result = await deps.ledger.commit(record.connectionId, changes);
    if (result.committed) return { value: next, tag: result.tags.at(-1) ?? '' };
    const address = addresses[result.index];
    // A row that exists or a checkpoint that moved: another planner, or an answer of ours that was lost.
    if (address === undefined) return undefined;
    const current = await deps.ledger.getMailbox(record.connectionId, address);
    if (current) known.set(address, current);
    else known.delete(address);
  }
}

function openMailbox(
  importId: string,
  row: ReturnType<typeof rowOf>,
  known: Tagged<Mailbox> | undefined,
  now: Date,
): LedgerChange {
  const open = openRowOf(row);
  const { displayName, dailyLimit, reference } = row;
  const own = {
    ...(displayName !== undefined && { displayName }),
    ...(dailyLimit !== undefined && { dailyLimit }),
    ...(reference !== undefined && { reference }),
  };
  if (!known) {
    return {
      op: 'createMailbox',
      mailbox: {
        address: row.address,
        ...own,
        kind: 'unknown',
        status: 'pending',
        checks: {},
        importId,
        open,
        slotClaimedBy: importId,
        createdAt: now,
      },
    };
  }
  return {
    op: 'mergeMailbox',
    address: row.address,
    tag: known.tag,
    patch: {
      ...own,
      status: 'pending',
      importId,
      open,
      nextCheckAt: null,
      // One that holds a slot keeps it; it was claimed by the import that first accepted the mailbox.
      ...(!known.value.slotClaimedBy && { slotClaimedBy: importId }),
    },
  };
}

async function start(deps: PlanDeps, record: Import): Promise<void> {
  const { customerId, id: importId } = record;
  const plan = await deps.ledger.getPlan(record.connectionId, importId);
  if (!plan?.value.done) return;
  const claim = await deps.slots.claim(customerId, importId, plan.value.slotsNeeded);
  if (claim === 'limit' || claim === 'released') {
    await cancelImport(deps, customerId, importId, 'failed', {
      code: 'slot_limit_reached',
      detail: `The plan has too few free mailbox slots for the ${plan.value.slotsNeeded} that this import deps.`,
      fix: 'Disconnect mailboxes that are no longer needed, ask for more slots, or send fewer rows.',
      seenAt: deps.clock.now(),
    });
    return;
  }
  const started = await changeImport(deps.imports, customerId, importId, (current) =>
    current.status === 'planning' ? { ...current, status: 'running', startedAt: deps.clock.now() } : undefined,
  );
  if (started) await deps.importQueues.sendDispatch({ v: 1, customerId, importId });
}

/** Ends an import whose plan met a defect again and again: nothing of it may stay half done. */
export async function failPlan(deps: PlanDeps, customerId: string, importId: string): Promise<void> {
  await cancelImport(deps, customerId, importId, 'failed', {
    code: 'internal_error',
    detail:
      'Planning this import failed on our side. Nothing was checked; send the file again, and tell us if it recurs.',
    seenAt: deps.clock.now(),
  });
}
