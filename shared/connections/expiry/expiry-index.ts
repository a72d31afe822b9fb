import type { Page } from '../../kernel/page.ts';

/** Identifies an entry. */
export type ExpiryKey = Omit<ExpiryEntry, 'notedAt'>;

/** Says when the credential of a connection expires. The connection's record decides whether that is still true. */
export interface ExpiryEntry {
  customerId: string;
  connectionId: string;
  expiresAt: Date;
  /** When the entry was written. The record may follow a moment later. */
  notedAt: Date;
}

/**
 * Credentials in the order in which they expire: of all customers, and of each customer.
 *
 * An entry is written before the connection's record, and removed after it. So every connection has its entry, and a
 * process that dies leaves at most a stale one. Readers compare each entry with the record and skip stale entries, and
 * the daily timer removes them.
 *
 * Every call rejects with `storage_unavailable` if storage is unavailable.
 */
export interface ExpiryIndex {
  /** Succeeds if the entry exists. */
  put(entry: ExpiryEntry): Promise<void>;
  /** Succeeds if there is nothing to remove. */
  remove(entry: ExpiryKey): Promise<void>;
  /**
   * Soonest first, up to `until`.
   *
   * @param customerId limits the list to one customer
   */
  list(
    customerId: string | undefined,
    request: { until: Date; limit: number; cursor?: string },
  ): Promise<Page<ExpiryEntry>>;
  /** Every entry. For timers. */
  each(): AsyncIterable<ExpiryEntry>;
  /** Removes every entry of a customer. */
  purge(customerId: string): Promise<void>;
}
