import type { Role } from '../kernel/actor.ts';
import type { Page, PageRequest } from '../kernel/page.ts';
import type { ApiKey } from './api-key.ts';

/** Stores API keys. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface ApiKeyStore {
  get(customerId: string, keyId: string): Promise<ApiKey | undefined>;
  /**
   * Oldest first.
   *
   * @param roles limits the list to keys with one of these roles
   */
  list(customerId: string, page: PageRequest, roles?: readonly Role[]): Promise<Page<ApiKey>>;
  /** Replaces the key that an earlier try with the same ID has stored. Nobody was shown that key. */
  insert(key: ApiKey): Promise<void>;
  /** Succeeds if there is nothing to remove. */
  remove(customerId: string, keyId: string): Promise<void>;
  /** Removes every key of a customer, except operators' keys: those are ours. */
  purge(customerId: string): Promise<void>;
}
