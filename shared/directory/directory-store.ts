import type { Page, PageRequest } from '../kernel/page.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { MailboxKind } from '../mailboxes/mailbox.ts';
import type { DirectoryEntry } from './directory-entry.ts';
import type { DirectoryRecord } from './directory-record.ts';

export type EntryChange =
  /** `previousAddress`: where the entry was before, if that is known. */
  { op: 'put'; entry: DirectoryEntry; previousAddress?: string } | { op: 'remove'; id: string; address: string };

export interface EntryFilter {
  isEligible?: boolean;
  kind?: MailboxKind;
}

/** A connection whose directory needs work at some time. */
export interface DirectoryNote {
  customerId: string;
  connectionId: string;
  at: Date;
}

/** Why a connection is noted: its directory is being read and somebody must go on, or it is kept until then. */
export type NoteKind = 'reading' | 'kept';

/**
 * The directories of tenants, as they were read. The entries of a connection and its record share one partition: every
 * write of entries is conditional on the record. So a reader that has lost its lease, or whose connection was deleted,
 * writes nothing any more.
 *
 * Every call rejects with `storage_unavailable` if storage is unavailable.
 */
export interface DirectoryStore {
  get(connectionId: string): Promise<Tagged<DirectoryRecord> | undefined>;
  /**
   * Without a tag the record is created, with one it replaces what was read. Resolves to the new tag, or to `undefined`
   * if another writer was faster.
   */
  put(record: DirectoryRecord, tag: string | undefined): Promise<string | undefined>;
  /**
   * Writes changes of entries, in several transactions if they are many, and `record` with the last of them. The others
   * leave the record as it was. Resolves to the new tag, or to `undefined` if the record has changed: then the caller
   * lost its lease. Repeatable.
   */
  commit(
    before: DirectoryRecord,
    record: DirectoryRecord,
    tag: string,
    changes: readonly EntryChange[],
  ): Promise<string | undefined>;
  /**
   * Removes entries that do not belong to the record's round, in a few storage requests: those that it comes across after
   * `cursor`, or from the beginning. Conditional in the same way. Resolves to where to go on, without a cursor at the end.
   * Repeatable.
   */
  sweep(
    record: DirectoryRecord,
    tag: string,
    cursor: string | undefined,
  ): Promise<{ tag: string; cursor?: string } | undefined>;
  /** The entries with these IDs, in any order. Absent ones are left out. */
  getMany(connectionId: string, ids: readonly string[]): Promise<DirectoryEntry[]>;
  /** Ordered by address. A page may be short or empty, see `Page`. The cursor is that of `cursorAfter`. */
  list(connectionId: string, page: PageRequest, filter: EntryFilter): Promise<Page<DirectoryEntry>>;
  /** The cursor of the page that begins after this entry. */
  cursorAfter(entry: DirectoryEntry): string;
  /** Entries to judge: those that are due, and those that were refused before `refusedBefore`. */
  listDue(connectionId: string, page: PageRequest, refusedBefore: Date): Promise<Page<DirectoryEntry>>;
  /** Removes everything of a connection, its record first. Repeatable. */
  purge(connectionId: string): Promise<void>;

  /** Replaces an earlier note of the same kind. */
  note(kind: NoteKind, note: DirectoryNote): Promise<void>;
  forget(kind: NoteKind, connectionId: string): Promise<void>;
  /** Notes whose time has come. */
  eachDue(kind: NoteKind, now: Date): AsyncIterable<DirectoryNote>;
  /** The notes of a customer, of both kinds. */
  eachOf(customerId: string): AsyncIterable<DirectoryNote>;
}
