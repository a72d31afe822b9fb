import type { Page, PageRequest } from '../kernel/page.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { Connection } from './connection.ts';

/** Where connections are kept. Every call is scoped to one customer, but for the timers' `listAll`. */
export interface ConnectionStore {
  /** Resolves to `undefined` when the customer has no such connection. */
  get(customerId: string, connectionId: string): Promise<Tagged<Connection> | undefined>;
  /** Newest first. */
  list(customerId: string, page: PageRequest): Promise<Page<Connection>>;
  /** Every connection of every customer, for timers. */
  listAll(): AsyncIterable<Connection>;
  /** Rejects with `conflict` when the customer already has a connection to this tenant with this client id. */
  insert(connection: Connection): Promise<void>;
  /** Writes the fields given. Resolves to `false` when the record has changed since `tag` was read, or is gone. */
  update(connection: Connection, tag: string): Promise<boolean>;
  /** Removing what is not there is success. */
  remove(customerId: string, connectionId: string): Promise<void>;
}
