import type { AuditLog } from '../kernel/audit-log.ts';
import type { Clock } from '../kernel/clock.ts';
import type { NewId } from '../kernel/ids.ts';
import type { Customer } from './customer.ts';

interface Deps {
  auditLog: Pick<AuditLog, 'insert'>;
  clock: Clock;
  newId: NewId;
}

/** Stands for an API key of the customer. The key is deleted, and its ID would only point to the person who had it. */
const DELETED_KEY = 'deleted';

/**
 * Writes the one audit record that outlives a customer: that everything was deleted, when, and at whose request. It
 * names no person: it has no address, and of the keys only an operator's.
 */
export async function proveDeletion(deps: Deps, { id, deletionRequest }: Customer): Promise<void> {
  // Only a deletion that began before requests were stored has none.
  const { keyId, role, requestId } = deletionRequest ?? { keyId: DELETED_KEY, role: 'owner', requestId: '' };
  await deps.auditLog.insert({
    id: deps.newId('aud'),
    at: deps.clock.now(),
    keyId: role === 'operator' ? keyId : DELETED_KEY,
    role,
    customerId: id,
    action: 'customers.delete',
    object: id,
    result: 'succeeded',
    status: 204,
    requestId,
  });
}
