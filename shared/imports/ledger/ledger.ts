import type { CauseCode } from '../../causes/causes.ts';
import type { Page, PageRequest } from '../../kernel/page.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox, MailboxStatus } from '../../mailboxes/mailbox.ts';
import type { PlanRecord } from './plan-record.ts';
import type { Row, RowState } from './row.ts';
import type { SettledBatch, SettledPage } from './settled-batch.ts';
import type { Tally } from './tally.ts';

/** Fields to write; `null` clears one. */
export type Patch<T> = { [Field in keyof T]?: T[Field] | null };

/**
 * One write within a transaction. A `tag` makes the write conditional: the record must be unchanged since it was read.
 * A `merge…` without a tag only requires that the record exists.
 */
export type LedgerChange =
  | { op: 'createMailbox'; mailbox: Mailbox }
  | { op: 'mergeMailbox'; address: string; patch: Patch<Mailbox>; tag?: string }
  | { op: 'createRow'; row: Row }
  | { op: 'mergeRow'; importId: string; line: number; patch: Patch<Row>; tag: string }
  /** A settled row's explanation. Nobody else changes a settled row, so this needs no tag. */
  | { op: 'explainRow'; importId: string; line: number; cause: CauseCode | null; detail: string | null }
  | { op: 'createPlan'; plan: PlanRecord }
  | { op: 'mergePlan'; importId: string; patch: Patch<PlanRecord>; tag: string }
  /** Without a tag the tally is created; with one it replaces what was read. Never written unconditionally. */
  | { op: 'writeTally'; tally: Tally; tag?: string }
  | { op: 'createSettledBatch'; batch: SettledBatch }
  /** Without a tag the identity is created; with one it replaces what was read. Never written unconditionally. */
  | { op: 'writeIdentity'; identity: IdentityRecord; tag?: string };

export type CommitResult =
  /** `tags[i]` is the new tag of the record that `changes[i]` wrote. */
  | { committed: true; tags: string[] }
  /** Nothing was written. `changes[index]` met a record that already exists, is absent, or has changed. */
  | { committed: false; index: number; why: 'exists' | 'absent' | 'changed' };

/** Entities in one transaction, at most. Table Storage allows 100. */
export const CHANGES_MAX = 100;

/** What a transaction writes for each import whose rows it settles: a tally and a batch of settled rows. */
export const CHANGES_OF_IMPORT = 2;

/** Rows in one transaction, at most, when each is written with its mailbox and all of them belong to one import. */
export const PAIRS_MAX = Math.floor((CHANGES_MAX - CHANGES_OF_IMPORT) / 2);

/** The address under which a connection looks after the mailbox with this identity key. See `claim-identities.ts`. */
export interface IdentityRecord {
  key: string;
  address: string;
}

export interface RowQuery {
  fromLine: number;
  /** Exclusive. */
  toLine?: number;
  states?: readonly RowState[];
  /** Only rows whose `nextCheckAt` is at or before this instant. */
  dueBy?: Date;
  /** Only rows whose refusal is held back. */
  held?: true;
  limit: number;
}

/**
 * The ledger of one connection: its mailboxes with their identities, and the rows, plans, tallies and settled batches of
 * its imports. They share one partition, so that one transaction can change what must change together.
 *
 * Every call rejects with `storage_unavailable` if storage is unavailable. After a `commit` that rejects, the result is
 * unknown: the transaction may have been committed, or may still be.
 */
export interface Ledger {
  getMailbox(connectionId: string, address: string): Promise<Tagged<Mailbox> | undefined>;
  /**
   * The mailboxes of these addresses, by address; absent ones are left out. Never costs more than one request for each
   * address, and far fewer if the connection has most of them.
   */
  getMailboxes(connectionId: string, addresses: readonly string[]): Promise<Map<string, Tagged<Mailbox>>>;
  /**
   * Which of these addresses have a mailbox, in a few storage requests, however many mailboxes lie between them. Of the
   * first `answered` addresses this is known, and of at least one.
   *
   * @param addresses in the order of addresses in storage
   */
  peekMailboxes(
    connectionId: string,
    addresses: readonly string[],
  ): Promise<{ mailboxes: Map<string, Pick<Mailbox, 'status' | 'openRow' | 'pausedAt'>>; answered: number }>;
  /** Every mailbox of a connection, ordered by address. */
  eachMailbox(connectionId: string): AsyncIterable<Tagged<Mailbox>>;
  /** How many mailboxes of a connection hold a slot. Reads nothing but keys: one request for each thousand of them. */
  countSlots(connectionId: string): Promise<number>;
  /** Those that customers see, by the status that they see. A page may be short or empty, see `Page`. */
  listMailboxes(connectionId: string, page: PageRequest, status?: MailboxStatus): Promise<Page<Mailbox>>;
  /** Only the mailboxes that `where` names, ordered by address. A page may be short or empty, see `Page`. */
  findMailboxes(
    connectionId: string,
    page: PageRequest,
    where: Partial<Pick<Mailbox, 'importId' | 'status'>>,
  ): Promise<Page<Tagged<Mailbox>>>;
  /** Deletes a mailbox if it is unchanged since `tag` was read. */
  removeMailbox(connectionId: string, address: string, tag: string): Promise<void>;
  /** The identities with these keys, by key; absent ones are left out. */
  getIdentities(connectionId: string, keys: readonly string[]): Promise<Map<string, Tagged<IdentityRecord>>>;
  /**
   * The mailboxes under the addresses that these identities name, by key, with at most `requestsMax` storage requests. Of
   * the first `answered` keys this is known, and of at least one.
   *
   * @param requestsMax at least 4
   */
  peekIdentified(
    connectionId: string,
    keys: readonly string[],
    requestsMax: number,
  ): Promise<{ mailboxes: Map<string, Pick<Mailbox, 'slotClaimedBy' | 'identity'>>; answered: number }>;
  /** Deletes an identity if it is unchanged since `tag` was read. */
  removeIdentity(connectionId: string, key: string, tag: string): Promise<void>;
  getRow(connectionId: string, importId: string, line: number): Promise<Tagged<Row> | undefined>;
  /** Ordered by line. Fewer rows than `limit` means that there are no more. */
  findRows(connectionId: string, importId: string, query: RowQuery): Promise<Tagged<Row>[]>;
  /**
   * Rows in these states from a line on, in a few storage requests, however many others lie between. So there may be fewer
   * than `limit`, or none, although there are more: `nextLine` is where to go on. It is absent at the end, and `fromLine`
   * again if storage has not come any further.
   */
  scanRows(
    connectionId: string,
    importId: string,
    query: Required<Pick<RowQuery, 'fromLine' | 'states' | 'limit'>>,
  ): Promise<{ rows: Row[]; nextLine?: number }>;
  /** With `state`, a page may be short or empty and still have a cursor, see `Page`. */
  listRows(connectionId: string, importId: string, page: PageRequest, state?: RowState): Promise<Page<Row>>;
  getPlan(connectionId: string, importId: string): Promise<Tagged<PlanRecord> | undefined>;
  /** One range query, however large the import is. */
  listTallies(connectionId: string, importId: string): Promise<Tally[]>;
  /**
   * The batches that were settled at this time or later, and the tallies, in one storage request. At most 1,000 batches.
   * With tallies, the batches are all that the tallies count from this time on.
   */
  readSettled(connectionId: string, importId: string, from: Date): Promise<SettledPage>;
  /** Writes all changes or none. At most `CHANGES_MAX`, and each record at most once. */
  commit(connectionId: string, changes: readonly LedgerChange[]): Promise<CommitResult>;
  /**
   * Removes up to a thousand of the rows, settled batches, tallies and the plan of an import. Resolves to whether none is
   * left. Its mailboxes stay.
   */
  purgeImport(connectionId: string, importId: string): Promise<boolean>;
  /** Removes everything of a connection. Repeatable. */
  purge(connectionId: string): Promise<void>;
}
