/**
 * What is removed, and when:
 * - `preview`: an upload that a dry run kept, if no import has started from it
 * - `upload`: the upload of an import
 * - `rows`: the rows of an import that has ended. Its counts stay.
 */
export const removalKinds = ['preview', 'upload', 'rows'] as const;
type RemovalKind = (typeof removalKinds)[number];

/** A promise to remove something. Written before what it removes, so that nothing stays if a process dies in between. */
export interface Removal {
  kind: RemovalKind;
  customerId: string;
  connectionId: string;
  importId: string;
  removeAt: Date;
}

/** Stores what is to be removed. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface RemovalSchedule {
  /** Repeatable. */
  put(removal: Removal): Promise<void>;
  /** Succeeds if it is gone. */
  remove(removal: Removal): Promise<void>;
  /** What is due at this time, the longest overdue first. Costs nothing for what is not due. */
  eachDue(now: Date): AsyncIterable<Removal>;
  /** Forgets everything about a customer, whose data is purged. Repeatable. */
  purge(customerId: string): Promise<void>;
}

/** How long data is kept, and where its removal is noted. */
export interface Retention {
  removals: RemovalSchedule;
  /** How long an import can be started from the upload of a dry run. */
  previewKeptMs: number;
  /** How long the upload of an import is kept, from its start. */
  uploadKeptMs: number;
  /** How long the rows of an import are kept after its end. */
  rowsKeptMs: number;
}
