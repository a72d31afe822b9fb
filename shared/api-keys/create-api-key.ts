import type { Actor, Role } from '../kernel/actor.ts';
import { DomainError, type FieldError } from '../kernel/errors.ts';
import { type CreatedKey, insertNewKey, type NewKeyDeps } from './insert-new-key.ts';

interface NewApiKey {
  name: string;
  role: Role;
  /** In the future. */
  expiresAt?: Date | undefined;
}

/**
 * Creates a key for a customer.
 *
 * @throws DomainError `forbidden` if anyone but an operator asks for an operator's key
 * @throws DomainError `validation_failed` if `expiresAt` is in the past, or missing for an operator's key
 * @throws DomainError `not_found` if there is no such customer, `quota_reached` if it has too many keys
 */
export async function createApiKey(
  deps: NewKeyDeps,
  actor: Actor,
  customerId: string,
  { name, role, expiresAt }: NewApiKey,
): Promise<CreatedKey> {
  if (role === 'operator' && actor.role !== 'operator') {
    throw new DomainError('forbidden', 'Only operators can create a key with the role `operator`.');
  }
  refuseExpiry(expiryFaults(role, expiresAt, deps.clock.now()));
  return insertNewKey(deps, { customerId, name, role, ...(expiresAt && { expiresAt }) });
}

/** An operator's key reaches every customer, so it must not work forever. */
function expiryFaults(role: Role, expiresAt: Date | undefined, now: Date): string[] {
  if (expiresAt) return expiresAt <= now ? ['must be in the future'] : [];
  return role === 'operator' ? ['is required for a key with the role `operator`'] : [];
}

function refuseExpiry(faults: readonly string[]): void {
  const fields = faults.map((message): FieldError => ({ path: 'expiresAt', message }));
  const [first] = fields;
  if (first) throw new DomainError('validation_failed', `\`expiresAt\` ${first.message}.`, { fields });
}
