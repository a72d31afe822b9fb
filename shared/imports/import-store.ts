import { changeTagged } from '../kernel/change-tagged.ts';
import type { Page, PageRequest } from '../kernel/page.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { ActionStarter, Import } from './import.ts';

/** Points at an import that has not ended. Written before the import, removed after its end is announced. */
export interface OpenImport {
  importId: string;
  customerId: string;
  connectionId: string;
  openedAt: Date;
}

/** What an import needs of the customer's quota of unchecked rows. */
export interface RowQuota {
  /** The rows that will be rejected or duplicates. They are stored without a slot. */
  unchecked: number;
  max: number;
}

/** Imports of new mailboxes, or actions, also only those that one of them has started. They have IDs of their own. */
export type ListedKind = 'imports' | 'actions' | { actionsOf: ActionStarter };

/** Stores imports. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface ImportStore {
  get(customerId: string, importId: string): Promise<Tagged<Import> | undefined>;
  /** Newest first. Imports, or actions on mailboxes that the connection has. */
  list(customerId: string, connectionId: string, page: PageRequest, of?: ListedKind): Promise<Page<Import>>;
  /**
   * Resolves to the stored record: this one, or the one that an earlier try with the same ID has stored.
   *
   * Rejects with `quota_reached` if the customer's imports count more than `max` rows together with the unchecked ones of
   * this import. It then counts all its `quotaRows`. Both happen in the transaction that writes, so a customer has at most
   * one import more than the quota allows, however many come at the same time.
   */
  insert(record: Import, quota?: RowQuota): Promise<Import>;
  /** Changes how many rows of an import count. Repeatable. Does nothing if the import is gone. */
  recount(customerId: string, importId: string, quotaRows: number): Promise<void>;
  /**
   * Replaces the whole record. Resolves to its new tag, or to `undefined` if it has changed since `tag` was read or is
   * gone.
   */
  update(record: Import, tag: string): Promise<string | undefined>;
  /** Removes the imports of a connection. Their rows no longer count. Repeatable. */
  purge(customerId: string, connectionId: string): Promise<void>;
  /** Removes all imports and pointers of a customer. Repeatable. */
  purgeCustomer(customerId: string): Promise<void>;

  /**
   * Repeatable. Rejects with `quota_reached` if the customer has `runningMax` other open pointers, also when several
   * are opened at the same time.
   */
  openPointer(pointer: OpenImport, runningMax?: number): Promise<void>;
  closePointer(importId: string): Promise<void>;
  /** The pointers of all customers, or of one. */
  listOpen(customerId?: string): Promise<OpenImport[]>;
}

/** Changes one import so that no concurrent change is lost. Same promise as `changeTagged`. */
export async function changeImport(
  imports: Pick<ImportStore, 'get' | 'update'>,
  customerId: string,
  importId: string,
  change: (current: Import) => Import | undefined,
): Promise<Import | undefined> {
  const read = () => imports.get(customerId, importId);
  return changeTagged({ read, write: (record, tag) => imports.update(record, tag) }, change);
}
