import type { ApiKeyStore } from '../api-keys/api-key-store.ts';
import type { ApiKeyVerifier } from '../api-keys/verify-api-key.ts';
import type { Actor } from '../kernel/actor.ts';
import type { AnswerMemory } from '../kernel/answer-memory.ts';
import type { AuditLog } from '../kernel/audit-log.ts';
import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Slots } from '../plans/slots.ts';
import { changeCustomer } from './change-customer.ts';
import type { Customer } from './customer.ts';
import type { CustomerStore } from './customer-store.ts';
import { proveDeletion } from './prove-deletion.ts';
import type { CustomerWithSlots } from './read-customers.ts';
import { noSuchCustomer, requireOwn } from './require-customer.ts';

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

export interface DeleteCustomerDeps extends PurgeCustomerDeps {
  slots: Pick<Slots, 'get' | 'purge'>;
  /** Cancels every unfinished import of a customer. Repeatable. */
  cancelImports: (customerId: string) => Promise<void>;
  /** How long a deletion can be undone. */
  deletionGraceMs: number;
}

/** Customers that one run of the timer purges. The next run goes on with the others. */
export const PURGES_PER_RUN_MAX = 20;

/**
 * Disables a customer, and deletes it after a grace period. Until then `restoreCustomer` can bring it back.
 *
 * From the mark on, the customer is hidden and its keys do not work, in other processes once their cache expires. Its
 * running imports are cancelled. If the process dies after the mark, the sweep cancels them.
 *
 * @param options `purgeNow` deletes everything immediately. Only for operators. `requestId` goes into the record of the
 * deletion
 * @param check receives the customer before anything changes, and may throw to refuse
 * @throws DomainError `not_found`, `forbidden`
 */
export async function deleteCustomer(
  deps: DeleteCustomerDeps,
  actor: Actor,
  customerId: string,
  { purgeNow, requestId }: { purgeNow: boolean; requestId: string },
  check: (current: CustomerWithSlots) => void,
): Promise<void> {
  requireOwn(actor, customerId);
  if (purgeNow && actor.role !== 'operator') {
    throw new DomainError('forbidden', 'Only operators can delete a customer without a grace period.');
  }
  if (!(await deps.customers.get(customerId))) throw noSuchCustomer();
  const deletionRequest = { keyId: actor.keyId, role: actor.role, requestId };
  const disabled = await changeCustomer(deps.customers, customerId, async (current) => {
    const now = deps.clock.now();
    // From here on the purge is sure to happen: if this process dies, the next run of the timer does it.
    const purging = purgeNow && { purgingSince: now };
    if (current.deletingSince) {
      return purgeNow && !current.purgingSince ? { ...current, deletionRequest, ...purging } : undefined;
    }
    const slots = await deps.slots.get(customerId);
    if (!slots) throw noSuchCustomer();
    check({ customer: current, slots });
    const purgeAt = new Date(now.getTime() + deps.deletionGraceMs);
    return { ...current, deletingSince: now, deletionRequest, purgeAt, ...purging };
  });
  if (!disabled && !purgeNow) throw noSuchCustomer();
  deps.apiKeys.forget(customerId);
  await deps.cancelImports(customerId);
  if (purgeNow) await purgeCustomer(deps, customerId, deletionRequest);
}

/**
 * Undoes a deletion during its grace period. The customer's data and keys work again. Its imports stay cancelled.
 *
 * @throws DomainError `not_found`
 * @throws DomainError `wrong_state` if the purge has begun
 */
export async function restoreCustomer(
  deps: { customers: Pick<CustomerStore, 'get' | 'update'>; slots: Pick<Slots, 'get'> },
  customerId: string,
): Promise<CustomerWithSlots> {
  await changeCustomer(deps.customers, customerId, (current) => {
    if (current.purgingSince) {
      throw new DomainError('wrong_state', 'The data of this customer is being deleted. It cannot be restored.');
    }
    if (!current.deletingSince) return undefined;
    const { deletingSince: _since, deletionRequest: _request, purgeAt: _at, ...rest } = current;
    return rest;
  });
  const [found, slots] = await Promise.all([deps.customers.get(customerId), deps.slots.get(customerId)]);
  if (!found || !slots) throw noSuchCustomer();
  return { customer: found.value, slots };
}

/**
 * Purges customers whose grace period is over, and completes interrupted purges. At most `PURGES_PER_RUN_MAX` of them.
 * For a timer. Resolves to how many it purged.
 */
export async function purgeDueCustomers(deps: PurgeCustomerDeps): Promise<number> {
  const now = deps.clock.now();
  const isDue = ({ purgeAt, purgingSince }: { purgeAt?: Date; purgingSince?: Date }) =>
    purgingSince !== undefined || purgeAt === undefined || purgeAt <= now;
  const due = (await deps.customers.listDeleting()).filter(isDue).slice(0, PURGES_PER_RUN_MAX);
  for (const { id } of due) await purgeCustomer(deps, id);
  return due.length;
}

/**
 * Repeatable. The customer's record is removed last, so that an interrupted purge is completed by the next run of the
 * timer. Its audit records go after everything else, and one record takes their place.
 *
 * @param deletionRequest replaces the one of the disabled customer
 */
async function purgeCustomer(
  deps: PurgeCustomerDeps,
  customerId: string,
  deletionRequest?: Customer['deletionRequest'],
): Promise<void> {
  let marked: Customer | undefined;
  await changeCustomer(deps.customers, customerId, (current) => {
    marked = current.deletingSince && { ...current, ...(deletionRequest && { deletionRequest }) };
    return marked && !marked.purgingSince ? { ...marked, purgingSince: deps.clock.now() } : undefined;
  });
  if (!marked) return;
  await deps.apiKeyStore.purge(customerId);
  deps.apiKeys.forget(customerId);
  for (const remove of deps.customerPurgers) await remove(customerId);
  await deps.slots.purge(customerId);
  await deps.answers.purge(customerId);
  await deps.auditLog.purge(customerId);
  await proveDeletion(deps, marked);
  await deps.customers.remove(customerId);
}
