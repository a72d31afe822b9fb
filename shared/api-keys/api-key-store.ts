import type { Role } from '../kernel/actor.ts';
import type { Page, PageRequest } from '../kernel/page.ts';
import type { ApiKey } from './api-key.ts';

/** Where API keys are kept. Every call rejects with `storage_unavailable` when storage is away. */
export interface ApiKeyStore {
  get(customerId: string, keyId: string): Promise<ApiKey | undefined>;
  /** In the order of their making; only those with one of these roles, where roles are given. */
  list(customerId: string, page: PageRequest, roles?: readonly Role[]): Promise<Page<ApiKey>>;
  insert(key: ApiKey): Promise<void>;
  /** Removing what is not there is success. */
  remove(customerId: string, keyId: string): Promise<void>;
  /** Removes every key of a customer. */
  purge(customerId: string): Promise<void>;
}
