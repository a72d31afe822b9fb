import type { Page, PageRequest } from '../kernel/page.ts';
import type { Tagged } from '../kernel/tagged.ts';
import type { Import } from './import.ts';

/** Points at an import that has not ended. Written before the import, removed after its end is announced. */
export interface OpenImport {
  importId: string;
  customerId: string;
  connectionId: string;
  openedAt: Date;
}

/** Stores imports. Rejects with `storage_unavailable` when storage does not answer. */
export interface ImportStore {
  get(customerId: string, importId: string): Promise<Tagged<Import> | undefined>;
  /** Newest first. */
  list(customerId: string, connectionId: string, page: PageRequest): Promise<Page<Import>>;
  insert(record: Import): Promise<void>;
  /** Writes the whole record. Resolves to its new tag, or to `undefined` when it has changed since `tag` or is gone. */
  update(record: Import, tag: string): Promise<string | undefined>;
  /** Removes the imports of a connection. Repeatable. */
  purge(customerId: string, connectionId: string): Promise<void>;

  openPointer(pointer: OpenImport): Promise<void>;
  closePointer(importId: string): Promise<void>;
  listOpen(): Promise<OpenImport[]>;
}

/** Reads, changes and writes an import until no other writer interferes. Resolves to what was written, if anything. */
export async function changeImport(
  imports: ImportStore,
  customerId: string,
  importId: string,
  change: (current: Import) => Import | undefined,
): Promise<Import | undefined> {
  for (;;) {
    const found = await imports.get(customerId, importId);
    const next = found && change(found.value);
    if (!found || !next) return undefined;
    if ((await imports.update(next, found.tag)) !== undefined) return next;
  }
}
