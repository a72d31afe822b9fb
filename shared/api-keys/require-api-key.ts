import type { Actor } from '../kernel/actor.ts';
import type { DomainError } from '../kernel/errors.ts';
import { notFound } from '../kernel/ids.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';
import { rolesVisibleTo } from './roles-visible-to.ts';

/**
 * Finds a key that the actor may see.
 *
 * @throws DomainError `not_found`
 */
export async function requireApiKey(
  deps: { apiKeyStore: Pick<ApiKeyStore, 'get'> },
  actor: Actor,
  customerId: string,
  keyId: string,
): Promise<ApiKey> {
  const found = await deps.apiKeyStore.get(customerId, keyId);
  const visible = rolesVisibleTo(actor);
  if (!found || (visible && !visible.includes(found.value.role))) throw noSuchApiKey();
  return found.value;
}

export function noSuchApiKey(): DomainError {
  return notFound('key');
}
