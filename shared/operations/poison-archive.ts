/** A message that could not be handled, and its last error. */
export interface PoisonedMessage {
  queue: string;
  /** Identifies the work: a message that is archived twice is one entry. */
  key: string;
  message: unknown;
  /** The error of the last delivery. Absent if it was not recorded, for example because the process died. */
  error?: string;
  archivedAt: Date;
}

/** Stores poison messages for operators. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface PoisonArchive {
  /** Merges with the entry of the same key: an entry without an error does not overwrite a known error. */
  put(entry: PoisonedMessage): Promise<void>;
  /** Removes every message that names a connection. Repeatable. */
  remove(connectionId: string): Promise<void>;
  /** Removes every message that names a customer. Repeatable. */
  purge(customerId: string): Promise<void>;
}
