import type { Actor, Role } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import { type NewId, notFound } from '../kernel/ids.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { createKeyText, hashKey } from './key-text.ts';

interface Deps {
  apiKeyStore: Pick<ApiKeyStore, 'insert' | 'remove'>;
  customers: { exists(customerId: string): Promise<boolean> };
  clock: Clock;
  newId: NewId;
}

interface NewApiKey {
  name: string;
  role: Role;
  /** In the future. */
  expiresAt?: Date | undefined;
}

/**
 * Creates a key for a customer. Only its hash is stored, so `text` cannot be retrieved again.
 *
 * @throws DomainError `forbidden` if anyone but an operator asks for an operator's key
 * @throws DomainError `not_found` if there is no such customer
 */
export async function createApiKey(
  deps: Deps,
  actor: Actor,
  customerId: string,
  input: NewApiKey,
): Promise<{ apiKey: ApiKey; text: string }> {
  if (input.role === 'operator' && actor.role !== 'operator') {
    throw new DomainError('forbidden', 'Only operators can create a key with the role `operator`.');
  }
  const now = deps.clock.now();
  await requireExisting(deps, customerId);
  const id = deps.newId('key');
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
  await deps.apiKeyStore.insert(apiKey);
  // A deletion marks the customer and then removes its keys. The second check, after the write, notices a deletion that
  // began in the meantime, so no key outlives its customer.
  try {
    await requireExisting(deps, customerId);
  } catch (error) {
    await deps.apiKeyStore.remove(customerId, id);
    throw error;
  }
  return { apiKey, text };
}

async function requireExisting(deps: Pick<Deps, 'customers'>, customerId: string): Promise<void> {
  if (!(await deps.customers.exists(customerId))) throw notFound('cust');
}
