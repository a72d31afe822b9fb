import type { AuditLog } from './audit-log.ts';
import type { Clock } from './clock.ts';
import type { NewId } from './ids.ts';

export interface OwnActionDeps {
  customers: {
    /** Also finds a customer that is being deleted. */
    get(customerId: string): Promise<object | undefined>;
  };
  auditLog: Pick<AuditLog, 'insert'>;
  clock: Clock;
  newId: NewId;
}

/** Adds an audit record of something that nobody asked for, and that a timer has done for a customer. */
export async function recordOwnAction(
  deps: OwnActionDeps,
  { customerId, action, object }: { customerId: string; action: string; object: string },
): Promise<void> {
  // Nothing may be written for a customer that is purged.
  const isCustomer = (await deps.customers.get(customerId)) !== undefined;
  const id = deps.newId('aud');
  await deps.auditLog.insert({
    id,
    at: deps.clock.now(),
    keyId: 'system',
    role: 'operator',
    ...(isCustomer && { customerId }),
    action,
    object,
    result: 'succeeded',
    requestId: id,
  });
}
