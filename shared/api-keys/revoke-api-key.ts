import type { Actor } from '../kernel/actor.ts';
import { DomainError } from '../kernel/errors.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { rolesVisibleTo } from './roles-visible-to.ts';
import type { ApiKeyVerifier } from './verify-api-key.ts';

interface Needs {
  apiKeyStore: Pick<ApiKeyStore, 'get' | 'remove'>;
  apiKeys: Pick<ApiKeyVerifier, 'forget'>;
}

/**
 * Ends a key: at once in this process, in others once they have forgotten it.
 *
 * `check` sees the key before it is removed, and may refuse.
 *
 * @throws DomainError `not_found`
 */
export async function revokeApiKey(
  needs: Needs,
  actor: Actor,
  customerId: string,
  keyId: string,
  check: (apiKey: ApiKey) => void,
): Promise<void> {
  const found = await needs.apiKeyStore.get(customerId, keyId);
  const visible = rolesVisibleTo(actor);
  if (!found || (visible && !visible.includes(found.role))) {
    throw new DomainError('not_found', 'There is no such API key.');
  }
  check(found);
  await needs.apiKeyStore.remove(customerId, keyId);
  needs.apiKeys.forget(customerId);
}
