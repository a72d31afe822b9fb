import pLimit from 'p-limit';
import type { Log } from '../../kernel/log.ts';
import type { Page, PageRequest } from '../../kernel/page.ts';
import { type RunProgressStore, runInSteps } from '../../kernel/resumable-run.ts';
import { type ReconcileCustomerDeps, reconcileCustomer } from './reconcile-customer.ts';

export interface ReconcileDeps extends ReconcileCustomerDeps {
  customers: { list(page: PageRequest): Promise<Page<{ id: string }>> };
  reconcileProgress: RunProgressStore;
}

interface Result {
  customers: number;
  repaired: number;
  busy: number;
  failed: number;
  /** The list of customers was read to its end. */
  isComplete: boolean;
}

const PAGE_SIZE = 20;
const CUSTOMERS_AT_ONCE = 4;

/**
 * Reconciles the slots of all customers, for a daily timer. One process at a time does it, for a limited time, and the next
 * run continues where this one stopped. Resolves to `undefined` if another process is doing it.
 *
 * Logs each repair, and each customer that could not be looked at; the others follow all the same.
 */
export async function reconcileSlots(deps: ReconcileDeps, log: Log): Promise<Result | undefined> {
  const result: Result = { customers: 0, repaired: 0, busy: 0, failed: 0, isComplete: false };
  const limit = pLimit(CUSTOMERS_AT_ONCE);
  const run = await runInSteps({ progress: deps.reconcileProgress, clock: deps.clock }, async (cursor, runId) => {
    const page = await deps.customers.list({ limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) });
    await Promise.all(page.items.map(({ id }) => limit(() => reconcileOne(deps, id, runId, result, log))));
    return page.cursor;
  });
  return run && { ...result, ...run };
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
