import type { Clock } from '../kernel/clock.ts';
import { type NewId, notFound } from '../kernel/ids.ts';
import type { Quotas } from '../kernel/quota.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { createKeyText, hashKey } from './key-text.ts';

export interface NewKeyDeps {
  apiKeyStore: Pick<ApiKeyStore, 'insert' | 'remove'>;
  customers: { exists(customerId: string): Promise<boolean> };
  quotas: Pick<Quotas, 'keysMax'>;
  clock: Clock;
  newId: NewId;
}

/** A key and its text. The text cannot be retrieved again, because only its hash is stored. */
export interface CreatedKey {
  apiKey: ApiKey;
  text: string;
}

/**
 * Generates and stores a key.
 *
 * @throws DomainError `not_found` if there is no such customer, `quota_reached` if it has too many keys
 */
export async function insertNewKey(
  deps: NewKeyDeps,
  input: Pick<ApiKey, 'customerId' | 'name' | 'role' | 'expiresAt'>,
): Promise<CreatedKey> {
  const { customerId } = input;
  await requireExisting(deps, customerId);
  const id = deps.newId('key');
  const text = createKeyText(customerId, id);
  const apiKey: ApiKey = { ...input, id, hash: hashKey(text), createdAt: deps.clock.now() };
  await deps.apiKeyStore.insert(apiKey, deps.quotas.keysMax);
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

async function requireExisting(deps: Pick<NewKeyDeps, 'customers'>, customerId: string): Promise<void> {
  if (!(await deps.customers.exists(customerId))) throw notFound('cust');
}
