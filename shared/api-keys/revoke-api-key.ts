import type { Actor } from '../kernel/actor.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { requireApiKey } from './require-api-key.ts';
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
  check(await requireApiKey(deps, actor, customerId, keyId));
  await deps.apiKeyStore.remove(customerId, keyId);
  deps.apiKeys.forget(customerId);
}
