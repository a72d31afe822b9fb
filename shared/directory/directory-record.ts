import type { CauseCode } from '../causes/causes.ts';
import type { Lease } from '../kernel/lease-store.ts';

/**
 * Where a read is.
 *
 * - `begin`: asks for a link to later changes, so that none is lost while the users are listed.
 * - `list`: reads all users, page by page. `cursor` is Microsoft's link.
 * - `sweep`: removes what this list did not have. `cursor` is of the entries.
 * - `changes`: applies what has changed. `cursor` is Microsoft's link.
 * - `judge`: asks the mailboxes about which the directory cannot tell. `cursor` is of the entries.
 */
export type ReadPhase = 'begin' | 'list' | 'sweep' | 'changes' | 'judge';

export interface DirectoryRead {
  phase: ReadPhase;
  cursor?: string;
  /** Of a full read: the link to what changes from its beginning on. */
  changesFrom?: string;
  startedAt: Date;
  /** Requests in a row that Microsoft refused for now, or did not answer. */
  tries: number;
  /** Since when. */
  stuckAt?: Date;
  /** How often links had expired, so that the read began anew. */
  restarts: number;
  /** How many pages of mailboxes did not answer and were left for the next read. */
  skips?: number;
  /** The time between two requests. Grows when Microsoft throttles, and shrinks when it does not. */
  spacingMs: number;
  /** Nothing is asked before. */
  resumesAt?: Date;
}

/** Why the directory could not be read. */
export interface DirectoryFinding {
  cause: CauseCode;
  /** The least permission that is missing. */
  permission?: string;
  microsoftCode?: string;
  requestId?: string;
  seenAt: Date;
}

/** What is known of a tenant's directory, and how far reading it has got. One for each connection. */
export interface DirectoryRecord {
  connectionId: string;
  customerId: string;
  /** The last full read that was begun. */
  round: string;
  /** The link to what has changed since the last read. Absent before the first one. */
  changesLink?: string;
  /** As of when all entries are. The kinds of some mailboxes may be asked afterwards. */
  readAt?: Date;
  /** Absent unless a read is under way. */
  read?: DirectoryRead;
  /** Why the last read failed. */
  finding?: DirectoryFinding;
  lease?: Lease;
}
