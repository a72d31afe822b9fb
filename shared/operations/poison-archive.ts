/** A message that could not be handled, with what is known of why. */
export interface PoisonedMessage {
  queue: string;
  /** Names the work: the same message, archived twice, is one entry. */
  key: string;
  message: unknown;
  /** The error of the last try; absent when the process died instead of failing. */
  error?: string;
  archivedAt: Date;
}

/** Keeps what ended in a poison queue, for whoever looks into it. Rejects with `storage_unavailable`. */
export interface PoisonArchive {
  /** Adds to what is kept under the same key; an error that is known is not lost to an entry without one. */
  put(entry: PoisonedMessage): Promise<void>;
}
