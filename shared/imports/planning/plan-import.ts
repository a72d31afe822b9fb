import type { ConnectionStore, DeletedConnection } from '../../connections/connection-store.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Slots } from '../../plans/slots.ts';
import { type PlanActionDeps, planAction } from '../actions/plan-action.ts';
import { cancelImport } from '../control/cancel-import.ts';
import type { Import, ImportFinding } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import { changeImport, type ImportStore } from '../import-store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { newPlanRecord, type PlanRecord } from '../ledger/plan-record.ts';
import type { ParsedUpload } from '../upload/parsed-row.ts';
import { planRows } from './plan-rows.ts';
import { isBeingPlanned, isPlanningOverdue } from './planning-progress.ts';

export interface PlanDeps extends PlanActionDeps {
  connections: Pick<ConnectionStore, 'get'>;
  /** Removes what is left of a connection that is gone. */
  sendDeletion: (message: DeletedConnection) => Promise<void>;
  imports: ImportStore;
  ledger: Ledger;
  importQueues: ImportQueues;
  slots: Pick<Slots, 'claim'>;
  /** Reads an import's upload from the first line after `afterLine`. `undefined` if the upload is gone. */
  readUpload: (record: Import, afterLine: number) => Promise<ParsedUpload | undefined>;
  clock: Clock;
  /** How long one message plans before it hands over to the next. */
  planShiftMs: number;
  /** How long planning may make no progress before its message counts as lost. */
  planOverdueMs: number;
}

/**
 * Turns an upload into rows and mailboxes, claims the slots they need, and starts the checks.
 *
 * Rows are written together with the checkpoint that says how far planning has got, so a second delivery continues
 * exactly where the first one stopped. Two planners at the same time are harmless: the one with the stale checkpoint
 * stops. A problem with the import as a whole (too few slots, a missing upload) ends it as `failed` with that finding.
 */
export async function planImport(deps: PlanDeps, customerId: string, importId: string): Promise<void> {
  const record = await changeImport(deps.imports, customerId, importId, (current) =>
    isBeingPlanned(current) ? { ...current, status: 'planning' } : undefined,
  );
  if (!record) return;
  const { connectionId } = record;
  // The request that started this import began before the connection was deleted. Nothing would release its slots.
  if (!(await deps.connections.get(customerId, connectionId))) return deps.sendDeletion({ customerId, connectionId });
  const plan = await getOrCreatePlan(deps, record);
  if (plan.value.closed) return;
  if (!plan.value.done) {
    const result = await (record.action ? planAction : planRows)(deps, record, plan);
    if (result === 'superseded') return;
    if (result === 'handOver') return deps.importQueues.sendPlan({ v: 1, customerId, importId });
    if (result === 'uploadGone') {
      await endAsFailed(deps, customerId, importId, {
        code: 'upload_missing',
        detail: record.action
          ? 'The list of mailboxes no longer exists. Start the action again.'
          : 'The uploaded file no longer exists. Upload it again.',
        seenAt: deps.clock.now(),
      });
      return;
    }
  }
  await claimSlotsAndRun(deps, record);
}

async function getOrCreatePlan(deps: PlanDeps, record: Import): Promise<Tagged<PlanRecord>> {
  for (;;) {
    const found = await deps.ledger.getPlan(record.connectionId, record.id);
    if (found) return found;
    const plan = newPlanRecord(record.id, deps.clock.now());
    const result = await deps.ledger.commit(record.connectionId, [{ op: 'createPlan', plan }]);
    if (result.committed) return { value: plan, tag: result.tags[0] ?? '' };
  }
}

async function claimSlotsAndRun(deps: PlanDeps, record: Import): Promise<void> {
  const { customerId, id: importId } = record;
  const plan = await deps.ledger.getPlan(record.connectionId, importId);
  if (!plan?.value.done) return;
  const claim = await deps.slots.claim(customerId, importId, plan.value.slotsNeeded);
  if (claim === 'limit' || claim === 'released') {
    await endAsFailed(deps, customerId, importId, {
      code: 'slot_limit_reached',
      detail: `This ${record.action ? 'action' : 'import'} needs ${plan.value.slotsNeeded} mailbox slots, and your plan has fewer free.`,
      fix: `Disconnect mailboxes you no longer need, ask for more slots, or ${record.action ? 'choose fewer mailboxes' : 'upload fewer rows'}.`,
      seenAt: deps.clock.now(),
    });
    return;
  }
  const started = await changeImport(deps.imports, customerId, importId, (current) =>
    current.status === 'planning' ? { ...current, status: 'running', startedAt: deps.clock.now() } : undefined,
  );
  if (started) await deps.importQueues.sendDispatch({ v: 1, customerId, importId });
}

/**
 * Ends an import whose planning met a defect of ours on every delivery: `failed` with `internal_error`.
 *
 * Leaves the import alone if it is past planning, or if planning has moved lately: the poison message was one of several,
 * and another one does the work. If that one stops as well, the sweep sends the next.
 */
export async function failPlan(deps: PlanDeps, customerId: string, importId: string): Promise<void> {
  const record = (await deps.imports.get(customerId, importId))?.value;
  if (!record || !isBeingPlanned(record)) return;
  const plan = await deps.ledger.getPlan(record.connectionId, importId);
  if (!isPlanningOverdue(record, plan?.value, deps.clock.now(), deps.planOverdueMs)) return;
  await endAsFailed(deps, customerId, importId, {
    code: 'internal_error',
    detail: record.action
      ? 'We could not go on with this action because of an error on our side. What was done until then stays. Start it again, and contact support if this happens again.'
      : 'We could not plan this import because of an error on our side. No mailbox was checked. Upload the file again, and contact support if this happens again.',
    seenAt: deps.clock.now(),
  });
}

/** Ends the import as `failed`, unless another planner has brought it past planning in the meantime. */
async function endAsFailed(
  deps: PlanDeps,
  customerId: string,
  importId: string,
  finding: ImportFinding,
): Promise<void> {
  await cancelImport(deps, customerId, importId, 'failed', finding, isBeingPlanned);
}
