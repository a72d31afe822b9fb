import type { Page, PageRequest } from '../kernel/page.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { Connection } from './connection.ts';

/** A connection whose deletion has begun. */
export interface DeletedConnection {
  customerId: string;
  connectionId: string;
}

/** Points at a deletion that is not finished. */
export interface Deletion extends DeletedConnection {
  /** When its message counts as lost. */
  dueAt: Date;
}

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
  /**
   * Like `update`, for a connection that gets another client ID. Rejects with `conflict` if the customer already has a
   * connection to this tenant with that client ID.
   *
   * @param formerClientId the client ID of the record that was read
   */
  updateApp(connection: Connection, tag: string, formerClientId: string): Promise<string | undefined>;
  /**
   * Hides a connection for good: no other call finds it, it does not count, and its tenant can be registered again. Its
   * record waits for `removeHidden`. Notes its deletion. Resolves to `false` if it has changed since `tag` was read or is
   * gone.
   */
  hide(connection: Connection, tag: string, dueAt: Date): Promise<boolean>;
  /** Resolves to `undefined` if this customer has no such hidden connection. */
  getHidden(customerId: string, connectionId: string): Promise<Connection | undefined>;
  /** Removes a hidden connection and its deletion. Succeeds if there is nothing to remove. */
  removeHidden(customerId: string, connectionId: string): Promise<void>;
  noteDeletion(deletion: Deletion): Promise<void>;
  /** Removes the note of a deletion, but not the connection. */
  forgetDeletion(connectionId: string): Promise<void>;
  /** The deletions of all customers. One may have no hidden connection: the process died before it hid it. */
  listDeletions(): Promise<Deletion[]>;
  /** Removes all connections of a customer, hidden ones and deletions included. Repeatable. */
  purge(customerId: string): Promise<void>;
}
