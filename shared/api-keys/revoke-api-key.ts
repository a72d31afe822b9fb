import type { Actor } from '../kernel/actor.ts';
import { notFound } from '../kernel/ids.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { rolesVisibleTo } from './roles-visible-to.ts';
import type { ApiKeyVerifier } from './verify-api-key.ts';

interface Deps {
  apiKeyStore: Pick<ApiKeyStore, 'get' | 'remove'>;
  apiKeys: Pick<ApiKeyVerifier, 'forget'>;
}

/**
 * Revokes a key. It stops working in this process immediately, and in others once their cache expires.
 *
 * @param check receives the key before it is removed, and may throw to refuse
 * @throws DomainError `not_found`
 */
export async function revokeApiKey(
  deps: Deps,
  actor: Actor,
  customerId: string,
  keyId: string,
  check: (apiKey: ApiKey) => void,
): Promise<void> {
  const found = await deps.apiKeyStore.get(customerId, keyId);
  const visible = rolesVisibleTo(actor);
  if (!found || (visible && !visible.includes(found.role))) throw notFound('key');
  check(found);
  await deps.apiKeyStore.remove(customerId, keyId);
  deps.apiKeys.forget(customerId);
}
