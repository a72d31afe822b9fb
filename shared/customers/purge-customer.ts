import type { ApiKeyStore } from '../api-keys/api-key-store.ts';
import type { ApiKeyVerifier } from '../api-keys/verify-api-key.ts';
import type { AnswerMemory } from '../kernel/answer-memory.ts';
import type { AuditLog } from '../kernel/audit-log.ts';
import type { Clock } from '../kernel/clock.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Log } from '../kernel/log.ts';
import { withHeartbeat } from '../kernel/with-heartbeat.ts';
import type { Slots } from '../plans/slots.ts';
import { changeCustomer } from './change-customer.ts';
import type { Customer } from './customer.ts';
import type { CustomerStore } from './customer-store.ts';
import { proveDeletion } from './prove-deletion.ts';

/** Removes one kind of a customer's data: connections with their secrets, uploads and so on. Repeatable. */
export type CustomerPurger = (customerId: string) => Promise<void>;

export interface PurgeCustomerDeps {
  customers: CustomerStore;
  slots: Pick<Slots, 'purge'>;
  apiKeyStore: Pick<ApiKeyStore, 'purge'>;
  apiKeys: Pick<ApiKeyVerifier, 'forget'>;
  answers: Pick<AnswerMemory, 'purge'>;
  /** They run in this order. */
  customerPurgers: readonly CustomerPurger[];
  auditLog: Pick<AuditLog, 'insert' | 'purge'>;
  clock: Clock;
  newId: NewId;
}

/** Customers that one run of the timer purges. The next run goes on with the others. */
export const PURGES_PER_RUN_MAX = 20;
/** After this time, a run begins no other purge. */
const RUN_MS = 240_000;

/** A process that purges has died if nothing was heard of it for this time. */
export const PURGE_LOST_AFTER_MS = 30_000;
const HEARTBEAT_MS = 10_000;

/**
 * Purges customers whose grace period is over, and completes interrupted purges. At most `PURGES_PER_RUN_MAX` of them.
 * One that fails does not hold up the others. For a timer. Resolves to how many it purged.
 *
 * @throws the error of the first purge that has failed, after the others
 */
export async function purgeDueCustomers(deps: PurgeCustomerDeps, log: Log): Promise<number> {
  const startedAt = deps.clock.now();
  const due = (await deps.customers.listDeleting()).filter((customer) => isDue(customer, startedAt));
  const errors: unknown[] = [];
  let purged = 0;
  for (const { id } of due.slice(0, PURGES_PER_RUN_MAX)) {
    if (deps.clock.now().getTime() - startedAt.getTime() >= RUN_MS) break;
    try {
      if (await purgeCustomer(deps, id)) purged++;
    } catch (error) {
      errors.push(error);
      log('warn', 'customer_purge_failed', { customerId: id, error });
    }
  }
  if (errors.length > 0) throw errors[0];
  return purged;
}

function isDue({ purgeAt, purgingSince, purgeHeldUntil }: Customer, now: Date): boolean {
  if (purgeHeldUntil !== undefined && purgeHeldUntil > now) return false;
  return purgingSince !== undefined || purgeAt === undefined || purgeAt <= now;
}

/**
 * Repeatable. The customer's record is removed last, so that an interrupted purge is completed by the next run of the
 * timer. Its audit records go after everything else, and one record takes their place.
 *
 * Resolves to `false` if the customer is not being deleted, or if another process is at work on it and nobody asks anew.
 *
 * @param deletionRequest of an operator who wants it now. Replaces the one of the disabled customer
 */
export async function purgeCustomer(
  deps: PurgeCustomerDeps,
  customerId: string,
  deletionRequest?: Customer['deletionRequest'],
): Promise<boolean> {
  const heldUntil = () => new Date(deps.clock.now().getTime() + PURGE_LOST_AFTER_MS);
  const held = await changeCustomer(deps.customers, customerId, (current) => {
    const now = deps.clock.now();
    const isHeld = !deletionRequest && current.purgeHeldUntil !== undefined && current.purgeHeldUntil > now;
    if (!current.deletingSince || isHeld) return undefined;
    const request = deletionRequest ?? current.deletionRequest;
    return {
      ...current,
      ...(request && { deletionRequest: request }),
      purgingSince: current.purgingSince ?? now,
      purgeHeldUntil: heldUntil(),
    };
  });
  if (!held) return false;
  const hold = (purgeHeldUntil: Date | undefined) =>
    changeCustomer(deps.customers, customerId, ({ purgeHeldUntil: _until, ...rest }) => ({
      ...rest,
      ...(purgeHeldUntil && { purgeHeldUntil }),
    }));
  try {
    await withHeartbeat(
      HEARTBEAT_MS,
      () => hold(heldUntil()),
      () => removeEverything(deps, customerId),
    );
    await proveDeletion(deps, held);
    await deps.customers.remove(customerId);
  } catch (error) {
    // The next run need not wait. If this fails too, it waits.
    await hold(undefined).catch(() => undefined);
    throw error;
  }
  return true;
}

async function removeEverything(deps: PurgeCustomerDeps, customerId: string): Promise<void> {
  await deps.apiKeyStore.purge(customerId);
  deps.apiKeys.forget(customerId);
  for (const remove of deps.customerPurgers) await remove(customerId);
  await deps.slots.purge(customerId);
  await deps.answers.purge(customerId);
  await deps.auditLog.purge(customerId);
}
