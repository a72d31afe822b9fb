import type { ConnectionStore } from '../../connections/connection-store.ts';
import type { AuditLog } from '../../kernel/audit-log.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { NewId } from '../../kernel/ids.ts';
import type { Slots } from '../../plans/slots.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { countedSlots, isSameLook, type LookDeps, lookAtSlots, type SlotLook } from './slot-look.ts';

export interface ReconcileCustomerDeps extends LookDeps {
  connections: Pick<ConnectionStore, 'list' | 'listDeletions'>;
  ledger: Pick<Ledger, 'getPlan' | 'listTallies' | 'countSlots'>;
  slots: Pick<Slots, 'getTagged' | 'getClaim' | 'correct'>;
  auditLog: Pick<AuditLog, 'insert' | 'complete'>;
  clock: Clock;
  newId: NewId;
}

export type Reconciled =
  | { kind: 'right' }
  | { kind: 'repaired'; from: number; to: number }
  /** Its mailboxes took or lost slots at each try, or a connection is being deleted. The next run looks again. */
  | { kind: 'busy' };

const TRIES_MAX = 3;
const PAGE_SIZE = 100;
/** Stands for an API key in audit records of this work. */
const RECONCILIATION_KEY = 'reconciliation';

/**
 * Compares the used slots of a customer with the slots that its mailboxes hold, and repairs the count if it has drifted.
 *
 * Works beside running imports. A repair needs two looks that are the same, one before the mailboxes are counted and one
 * after, and is written only if the count has not changed since the first one. So a repair is never wrong, whatever
 * happens at the same time: it is left out. Repeatable.
 *
 * @param requestId goes into the audit record of a repair
 */
export async function reconcileCustomer(
  deps: ReconcileCustomerDeps,
  customerId: string,
  requestId: string,
): Promise<Reconciled> {
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const before = await lookAtSlots(deps, customerId);
    if (!before) return { kind: 'right' };
    if (await isDeleting(deps, customerId)) return { kind: 'busy' };
    const from = before.count.value.used;
    const to = countedSlots(before, await countHeld(deps, customerId, before));
    if (from === to) return { kind: 'right' };
    const after = await lookAtSlots(deps, customerId);
    if (!after || !isSameLook(before, after) || to < 0) continue;
    if (await isDeleting(deps, customerId)) return { kind: 'busy' };
    if (await repair(deps, customerId, before, to, requestId)) return { kind: 'repaired', from, to };
  }
  return { kind: 'busy' };
}

/** The deletion of a connection gives its slots back, and removes its mailboxes some time after that. */
async function isDeleting({ connections }: ReconcileCustomerDeps, customerId: string): Promise<boolean> {
  return (await connections.listDeletions()).some((deletion) => deletion.customerId === customerId);
}

async function countHeld(deps: ReconcileCustomerDeps, customerId: string, { open }: SlotLook): Promise<number> {
  const connectionIds = new Set(open.map(({ connectionId }) => connectionId));
  let cursor: string | undefined;
  do {
    const request = { limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) };
    const page = await deps.connections.list(customerId, request);
    for (const { id } of page.items) connectionIds.add(id);
    cursor = page.cursor;
  } while (cursor !== undefined);
  let held = 0;
  for (const connectionId of connectionIds) held += await deps.ledger.countSlots(connectionId);
  return held;
}

/** Leaves one audit record. Without it, nothing is changed. */
async function repair(
  deps: ReconcileCustomerDeps,
  customerId: string,
  { count }: SlotLook,
  to: number,
  requestId: string,
): Promise<boolean> {
  const intent = {
    id: deps.newId('aud'),
    at: deps.clock.now(),
    keyId: RECONCILIATION_KEY,
    role: 'operator' as const,
    customerId,
    action: 'slots.reconcile',
    object: `slotsUsed ${count.value.used} to ${to}`,
    result: 'unknown',
    requestId,
  };
  await deps.auditLog.insert(intent);
  const isDone = await deps.slots.correct(customerId, to, count.tag);
  await deps.auditLog.complete(intent, { result: isDone ? 'succeeded' : 'conflict' }).catch(() => undefined);
  return isDone;
}
