import { randomUUID } from 'node:crypto';
import pLimit from 'p-limit';
import type { Log } from '../../kernel/log.ts';
import type { Page, PageRequest } from '../../kernel/page.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import { type ReconcileCustomerDeps, reconcileCustomer } from './reconcile-customer.ts';

/** How far the reconciliation of all customers has got, and who is doing it. */
export interface ReconcileProgress {
  holder?: string;
  until?: Date;
  /** Of the list of customers. Absent at its beginning. */
  cursor?: string;
}

/** Stores the one progress record. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface ReconcileProgressStore {
  get(): Promise<Tagged<ReconcileProgress> | undefined>;
  /**
   * Without a tag the record is created, with one it replaces what was read. Resolves to the new tag, or to `undefined`
   * if another writer was faster.
   */
  put(progress: ReconcileProgress, tag: string | undefined): Promise<string | undefined>;
}

export interface ReconcileDeps extends ReconcileCustomerDeps {
  customers: { list(page: PageRequest): Promise<Page<{ id: string }>> };
  reconcileProgress: ReconcileProgressStore;
}

interface Result {
  customers: number;
  repaired: number;
  busy: number;
  failed: number;
  /** The list of customers was read to its end. */
  isComplete: boolean;
}

/** Longer than the host lets a function run. If the process dies, the next run begins after this time. */
const LEASE_MS = 660_000;
/** After this time, no more customers are begun. The next run continues there. */
const WORK_MS = 300_000;
const PAGE_SIZE = 20;
const CUSTOMERS_AT_ONCE = 4;

/**
 * Reconciles the slots of all customers, for a daily timer. One process at a time does it, for a limited time, and the next
 * run continues where this one stopped. Resolves to `undefined` if another process is doing it.
 *
 * Logs each repair, and each customer that could not be looked at; the others follow all the same.
 */
export async function reconcileSlots(deps: ReconcileDeps, log: Log): Promise<Result | undefined> {
  const { reconcileProgress: store, clock } = deps;
  const startedAt = clock.now();
  const found = await store.get();
  if (found?.value.until && found.value.until > startedAt) return undefined;
  const runId = randomUUID();
  const lease = { holder: runId, until: new Date(startedAt.getTime() + LEASE_MS) };
  let cursor = found?.value.cursor;
  let tag = await store.put({ ...lease, ...(cursor !== undefined && { cursor }) }, found?.tag);
  if (tag === undefined) return undefined;

  const result: Result = { customers: 0, repaired: 0, busy: 0, failed: 0, isComplete: false };
  const limit = pLimit(CUSTOMERS_AT_ONCE);
  try {
    while (clock.now().getTime() - startedAt.getTime() < WORK_MS) {
      const page = await deps.customers.list({ limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) });
      await Promise.all(page.items.map(({ id }) => limit(() => reconcileOne(deps, id, runId, result, log))));
      cursor = page.cursor;
      result.isComplete = cursor === undefined;
      if (cursor === undefined) break;
      tag = await store.put({ ...lease, cursor }, tag);
      if (tag === undefined) return result;
    }
  } finally {
    // If this fails, the lease ends by itself.
    if (tag !== undefined) await store.put(cursor === undefined ? {} : { cursor }, tag).catch(() => undefined);
  }
  return result;
}

async function reconcileOne(
  deps: ReconcileDeps,
  customerId: string,
  runId: string,
  result: Result,
  log: Log,
): Promise<void> {
  result.customers++;
  try {
    const reconciled = await reconcileCustomer(deps, customerId, runId);
    if (reconciled.kind === 'busy') result.busy++;
    if (reconciled.kind !== 'repaired') return;
    result.repaired++;
    log('error', 'slots_repaired', { customerId, from: reconciled.from, to: reconciled.to, runId });
  } catch (error) {
    result.failed++;
    log('warn', 'slots_not_reconciled', { customerId, error });
  }
}
