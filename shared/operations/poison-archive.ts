import type { Page, PageRequest } from '../kernel/page.ts';
import type { Tagged } from '../kernel/tagged.ts';

/**
 * - `open`: nobody has decided yet.
 * - `requeuing`: an operator has requeued it, and what follows from that is being done. Anyone who finds it finishes it.
 * - `requeued`, `discarded`: decided. Kept for a while, so that a second decision finds that there is nothing to do.
 */
export const poisonStates = ['open', 'requeuing', 'requeued', 'discarded'] as const;
type PoisonState = (typeof poisonStates)[number];

/** A message that could not be handled, and its last error. */
export interface PoisonedMessage {
  queue: string;
  /** Identifies the work: a message that is archived twice is one entry. */
  key: string;
  message: unknown;
  /** This version cannot read it. */
  isMalformed?: boolean;
  /** The error of the last delivery. Absent if it was not recorded, for example because the process died. */
  error?: string;
  archivedAt: Date;
  state: PoisonState;
  /** When an operator decided. */
  decidedAt?: Date;
}

/** Stores poison messages for operators. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface PoisonArchive {
  get(queue: string, key: string): Promise<Tagged<PoisonedMessage> | undefined>;
  /** Resolves to `false` if there is an entry with this key. */
  insert(entry: PoisonedMessage): Promise<boolean>;
  /** Resolves to the new tag, or to `undefined` if the entry has changed since `tag` was read or is gone. */
  update(entry: PoisonedMessage, tag: string): Promise<string | undefined>;
  /** The undecided messages of a queue, ordered by key. A page may be short or empty, see `Page`. */
  list(queue: string, page: PageRequest): Promise<Page<PoisonedMessage>>;
  /**
   * How many undecided messages a queue has. Counts `max` of them at most, and fewer if it has to look through many that
   * are decided.
   */
  count(queue: string, max: number): Promise<number>;
  /** The messages of all queues that are `requeuing` since before this instant. A page may be short or empty, see `Page`. */
  listRequeuing(before: Date, page: PageRequest): Promise<Page<PoisonedMessage>>;
  /**
   * Removes messages that were decided before one instant, and all that were archived before another, at most `max` of
   * them. Resolves to their number.
   */
  removeOld(before: { decided: Date; archived: Date }, max: number): Promise<number>;
  /** Removes every message that names a connection. Repeatable. */
  remove(connectionId: string): Promise<void>;
  /** Removes every message that names a customer. Repeatable. */
  purge(customerId: string): Promise<void>;
}
