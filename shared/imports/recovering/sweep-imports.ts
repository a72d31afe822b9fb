import pLimit from 'p-limit';
import type { ConnectionStore, DeletedConnection } from '../../connections/connection-store.ts';
import { credentialCauses } from '../../connections/credentials/credential.ts';
import type { Clock } from '../../kernel/clock.ts';
import { cancelImport } from '../control/cancel-import.ts';
import { type ResumeDeps, resumeImport } from '../control/resume-import.ts';
import { type Import, type ImportFinding, isEnded } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { ImportStore, OpenImport } from '../import-store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { isBeingPlanned, isPlanningOverdue } from '../planning/planning-progress.ts';

export interface SweepDeps {
  imports: ImportStore;
  connections: Pick<ConnectionStore, 'get'>;
  /** Removes what is left of a connection that is gone. */
  sendDeletion: (message: DeletedConnection) => Promise<void>;
  testConnection: ResumeDeps['testConnection'];
  ledger: Ledger;
  importQueues: ImportQueues;
  customers: {
    /** `false` for a customer whose deletion has begun. */
    exists(customerId: string): Promise<boolean>;
  };
  clock: Clock;
  /** How long planning may make no progress before its message counts as lost. */
  planOverdueMs: number;
  /** How long an import may be paused before it is cancelled. */
  pausedMaxMs: number;
}

/** A pointer without an import: the process died between the two writes. A younger one may still get its import. */
const ORPHAN_AFTER_MS = 600_000;

/** Imports that are looked after at the same time. Each costs one to three storage requests. */
const IMPORTS_AT_ONCE = 16;

/**
 * Looks after every unfinished import: if the message for its next step may be lost, sends it again. Cancels imports
 * that have been paused for too long, and those of customers whose deletion has begun. Resumes imports that paused because
 * of a credential once it is replaced by one that works.
 *
 * The sweep does no other work itself, and it looks after several imports at the same time, so one stuck import cannot
 * hold up the others. `failed` has the error of each import that could not be looked after.
 */
export async function sweepImports(deps: SweepDeps): Promise<{ open: number; failed: unknown[] }> {
  const open = await deps.imports.listOpen();
  const customers = new Map<string, Promise<boolean>>();
  const isCustomer = (customerId: string) => {
    const known = customers.get(customerId) ?? deps.customers.exists(customerId);
    customers.set(customerId, known);
    return known;
  };
  const limit = pLimit(IMPORTS_AT_ONCE);
  const swept = await Promise.allSettled(open.map((pointer) => limit(() => sweep(deps, pointer, isCustomer))));
  const failed = swept.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  return { open: open.length, failed };
}

async function sweep(
  deps: SweepDeps,
  pointer: OpenImport,
  isCustomer: (customerId: string) => Promise<boolean>,
): Promise<void> {
  const { customerId, importId } = pointer;
  const now = deps.clock.now();
  const found = await deps.imports.get(customerId, importId);
  if (!found) {
    if (now.getTime() - pointer.openedAt.getTime() > ORPHAN_AFTER_MS) await deps.imports.closePointer(importId);
    return;
  }
  const record = found.value;
  const traced = record.traceparent !== undefined && { traceparent: record.traceparent };
  if (!isEnded(record.status) && record.status !== 'cancelling') {
    const finding = findLongPause(deps, record, now);
    const isOrphan = !(await isCustomer(customerId));
    const { connectionId } = record;
    if (finding || isOrphan) {
      await cancelImport(deps, customerId, importId, 'cancelled', finding);
      // A request that began before the customer was purged has left this import.
      if (isOrphan && !(await deps.connections.get(customerId, connectionId))) {
        await deps.sendDeletion({ customerId, connectionId });
      }
      return;
    }
  }
  if (await isWaitingInVain(deps, record)) {
    await resumeImport(deps, record);
    return;
  }
  if (isBeingPlanned(record)) {
    const plan = await deps.ledger.getPlan(record.connectionId, importId);
    const isOverdue = isPlanningOverdue(record, plan?.value, now, deps.planOverdueMs);
    if (isOverdue) await deps.importQueues.sendPlan({ v: 1, customerId, importId, ...traced });
    return;
  }
  if (isEnded(record.status) && !record.eventPending) {
    await deps.imports.closePointer(importId);
    return;
  }
  const hasDispatcher = record.lease !== undefined && record.lease.until > now;
  if (!hasDispatcher) await deps.importQueues.sendDispatch({ v: 1, customerId, importId, ...traced });
}

/** Whether an import is paused because of a credential that has been replaced since, by one that works. */
async function isWaitingInVain(deps: SweepDeps, record: Import): Promise<boolean> {
  const { status, finding, pausedAt, customerId, connectionId } = record;
  if (status !== 'paused' || !pausedAt || !finding || !credentialCauses.has(finding.code)) return false;
  const connection = (await deps.connections.get(customerId, connectionId))?.value;
  const changedAt = connection?.credentialChangedAt;
  return connection?.status === 'ready' && changedAt !== undefined && pausedAt < changedAt;
}

function findLongPause({ pausedMaxMs }: SweepDeps, record: Import, now: Date): ImportFinding | undefined {
  const { status, pausedAt = record.createdAt } = record;
  if (status !== 'paused' || now.getTime() - pausedAt.getTime() <= pausedMaxMs) return undefined;
  return {
    code: 'paused_too_long',
    detail: `This ${record.action ? 'action' : 'import'} had been paused since ${pausedAt.toISOString().slice(0, 10)}, which is longer than a pause may last, so it was cancelled. Mailboxes that were already checked keep their results.`,
    fix: record.action ? 'Start it again.' : 'Upload the mailboxes that were not checked again.',
    seenAt: now,
  };
}
