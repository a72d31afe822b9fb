/** How far an unfinished import had got when somebody last looked, and since when it has been there. */
export interface ProgressMark {
  importId: string;
  /** Differs if anything of the import has moved. */
  position: string;
  since: Date;
}

/** Stores a mark for each unfinished import. Rejects with `storage_unavailable` if storage is unavailable. */
export interface ProgressMarks {
  list(): Promise<ProgressMark[]>;
  put(marks: readonly ProgressMark[]): Promise<void>;
  remove(importIds: readonly string[]): Promise<void>;
}
