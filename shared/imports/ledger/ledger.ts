import type { Page, PageRequest } from '../../kernel/page.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { PlanRecord } from './plan-record.ts';
import type { Row, RowState } from './row.ts';
import type { Tally } from './tally.ts';

/** Fields to write; `null` clears one. */
export type Patch<T> = { [Field in keyof T]?: T[Field] | null };

/**
 * One write within a transaction. A `tag` makes it conditional on the record being as it was read; `merge…` without a
 * tag still needs the record to be there.
 */
export type LedgerChange =
  | { op: 'createMailbox'; mailbox: Mailbox }
  | { op: 'mergeMailbox'; address: string; patch: Patch<Mailbox>; tag?: string }
  | { op: 'createRow'; row: Row }
  | { op: 'mergeRow'; importId: string; line: number; patch: Patch<Row>; tag: string }
  | { op: 'createPlan'; plan: PlanRecord }
  | { op: 'mergePlan'; importId: string; patch: Patch<PlanRecord>; tag: string }
  /** Without a tag the tally is created, with one it replaces what was read. Never written unconditionally. */
  | { op: 'writeTally'; tally: Tally; tag?: string };

export type CommitResult =
  /** `tags[i]` is the new tag of what `changes[i]` wrote. */
  | { committed: true; tags: string[] }
  /** Nothing was written: `changes[index]` met a record that exists, is absent or has changed. */
  | { committed: false; index: number; why: 'exists' | 'absent' | 'changed' };

/** Entities in one transaction, at most. */
export const CHANGES_MAX = 100;

export interface RowQuery {
  fromLine: number;
  /** Exclusive. */
  toLine?: number;
  states?: readonly RowState[];
  /** Only rows whose `nextCheckAt` is not after this instant. */
  dueBy?: Date;
  limit: number;
}

/**
 * The books of one connection: its mailboxes, and the rows, plans and tallies of its imports, together in one partition
 * so that one transaction can change what must change together.
 *
 * Every call rejects with `storage_unavailable` when storage is away. For `commit` that means: the outcome is unknown.
 * It may have been committed, and it may yet be.
 */
export interface Ledger {
  getMailbox(connectionId: string, address: string): Promise<Tagged<Mailbox> | undefined>;
  /** Every mailbox of a connection, in order of address. */
  eachMailbox(connectionId: string): AsyncIterable<Tagged<Mailbox>>;
  listMailboxes(connectionId: string, page: PageRequest, status?: Mailbox['status']): Promise<Page<Mailbox>>;
  getRow(connectionId: string, importId: string, line: number): Promise<Tagged<Row> | undefined>;
  /** In order of line. Fewer than `limit` means that there are no more. */
  findRows(connectionId: string, importId: string, query: RowQuery): Promise<Tagged<Row>[]>;
  listRows(connectionId: string, importId: string, page: PageRequest, state?: RowState): Promise<Page<Row>>;
  getPlan(connectionId: string, importId: string): Promise<Tagged<PlanRecord> | undefined>;
  /** One range query, whatever the size of the import. */
  listTallies(connectionId: string, importId: string): Promise<Tally[]>;
  /** All of it or nothing. At most `CHANGES_MAX`, each record once. */
  commit(connectionId: string, changes: readonly LedgerChange[]): Promise<CommitResult>;
  /** Removes everything of a connection; repeatable. */
  purge(connectionId: string): Promise<void>;
}
