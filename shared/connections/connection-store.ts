import type { Page, PageRequest } from '../kernel/page.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { Connection } from './connection.ts';

/**
 * Stores connections. Every call is scoped to one customer, except `listAll`, which is for timers.
 *
 * Every call rejects with `storage_unavailable` if storage is unavailable.
 */
export interface ConnectionStore {
  /** Resolves to `undefined` if this customer has no such connection. */
  get(customerId: string, connectionId: string): Promise<Tagged<Connection> | undefined>;
  /** Newest first. */
  list(customerId: string, page: PageRequest): Promise<Page<Connection>>;
  /** Every connection of every customer. */
  listAll(): AsyncIterable<Connection>;
  /**
   * Resolves to the stored record: this one, or the one that an earlier try with the same ID has stored. Rejects with
   * `conflict` if the customer already has another connection to this tenant with this client ID, and with
   * `quota_reached` if it has `connectionsMax` connections, also when several are inserted at the same time.
   */
  insert(connection: Connection, connectionsMax?: number): Promise<Connection>;
  /**
   * Replaces the whole record. Resolves to its new tag, or to `undefined` if it has changed since `tag` was read or is
   * gone.
   */
  update(connection: Connection, tag: string): Promise<string | undefined>;
  /** Succeeds if there is nothing to remove. */
  remove(customerId: string, connectionId: string): Promise<void>;
  /** Removes all connections of a customer. Repeatable. */
  purge(customerId: string): Promise<void>;
}
