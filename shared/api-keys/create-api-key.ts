import type { Actor, Role } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import type { NewId } from '../kernel/ids.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { createKeyText, hashKey } from './key-text.ts';

interface Needs {
  apiKeyStore: Pick<ApiKeyStore, 'insert' | 'remove'>;
  customers: { exists(customerId: string): Promise<boolean> };
  clock: Clock;
  newId: NewId;
}

export interface NewApiKey {
  name: string;
  role: Role;
  expiresAt?: Date | undefined;
}

/**
 * Makes a key for a customer. Its text is in the answer and nowhere else: only its hash is kept.
 *
 * @throws DomainError `forbidden` when anybody but an operator asks for an operator's key
 * @throws DomainError `validation_failed` when it would have expired already
 * @throws DomainError `not_found` when there is no such customer
 */
export async function createApiKey(
  needs: Needs,
  actor: Actor,
  customerId: string,
  input: NewApiKey,
): Promise<{ apiKey: ApiKey; text: string }> {
  if (input.role === 'operator' && actor.role !== 'operator') {
    throw new DomainError('forbidden', 'Only an operator can make a key with the role operator.');
  }
  const now = needs.clock.now();
  if (input.expiresAt && input.expiresAt <= now) {
    throw new DomainError('validation_failed', 'The key would have expired already.', {
      fields: [{ path: 'expiresAt', message: 'must lie in the future' }],
    });
  }
  await requireCustomer(needs, customerId);
  const id = needs.newId('key');
  const text = createKeyText(customerId, id);
  const apiKey: ApiKey = {
    id,
    customerId,
    name: input.name,
    role: input.role,
    hash: hashKey(text),
    createdAt: now,
    ...(input.expiresAt && { expiresAt: input.expiresAt }),
  };
  await needs.apiKeyStore.insert(apiKey);
  // A deletion marks the customer and then removes its keys. Looking again after the write means that one of the two
  // sees the other, so no key outlives its customer.
  try {
    await requireCustomer(needs, customerId);
  } catch (error) {
    await needs.apiKeyStore.remove(customerId, id);
    throw error;
  }
  return { apiKey, text };
}

async function requireCustomer(needs: Pick<Needs, 'customers'>, customerId: string): Promise<void> {
  if (!(await needs.customers.exists(customerId))) throw new DomainError('not_found', 'There is no such customer.');
}
