import type { Role } from '../kernel/actor.ts';
import { changeTagged } from '../kernel/change-tagged.ts';
import type { Page, PageRequest } from '../kernel/page.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { ApiKey } from './api-key.ts';

/** Stores API keys. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface ApiKeyStore {
  get(customerId: string, keyId: string): Promise<Tagged<ApiKey> | undefined>;
  /**
   * Oldest first.
   *
   * @param roles limits the list to keys with one of these roles
   */
  list(customerId: string, page: PageRequest, roles?: readonly Role[]): Promise<Page<ApiKey>>;
  /**
   * Rejects with `quota_reached` if the customer has `keysMax` keys, also when several are inserted at the same time.
   * Operators' keys are counted apart from the customer's own. Replaces the key that an earlier try with the same ID has
   * stored: nobody was shown that key.
   */
  insert(key: ApiKey, keysMax: number): Promise<void>;
  /** Resolves to the new tag, or to `undefined` if the key has changed since `tag` was read or is gone. */
  update(key: ApiKey, tag: string): Promise<string | undefined>;
  /** Succeeds if there is nothing to remove. */
  remove(customerId: string, keyId: string): Promise<void>;
  /** Removes every key of a customer, except operators' keys. Those belong to us. */
  purge(customerId: string): Promise<void>;
}

/** Changes a key, see `changeTagged`. */
export function changeApiKey(
  store: Pick<ApiKeyStore, 'get' | 'update'>,
  customerId: string,
  keyId: string,
  change: (current: ApiKey) => ApiKey | undefined,
): Promise<ApiKey | undefined> {
  const read = () => store.get(customerId, keyId);
  return changeTagged({ read, write: (key, tag) => store.update(key, tag) }, change);
}
