import type { Columns } from './parsed-row.ts';
import type { UploadType } from './read-upload.ts';

/** The upload of a dry run, kept so that an import can start from it. */
export interface KeptUpload {
  customerId: string;
  connectionId: string;
  /** The ID that the import will have. The upload is stored under it, so that at most one import can start from it. */
  importId: string;
  uploadType: UploadType;
  columns: Columns;
  /** SHA-256 of the stored upload. */
  hash: string;
  rows: number;
  /** No import can be started from it afterwards. */
  expiresAt: Date;
}

/** Stores kept uploads. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface KeptUploadStore {
  get(customerId: string, importId: string): Promise<KeptUpload | undefined>;
  /** Replaces an earlier one with the same ID. */
  put(kept: KeptUpload): Promise<void>;
  /** Succeeds if there is nothing to remove. */
  remove(customerId: string, importId: string): Promise<void>;
  /** How many uploads of a customer have not expired, counted up to `max`. */
  count(customerId: string, now: Date, max: number): Promise<number>;
}

/** The ID by which customers name a kept upload: `upl_…` for the import `imp_…`. */
export function uploadIdOf(importId: string): string {
  return importId.replace(/^imp_/, 'upl_');
}

export function importIdOf(uploadId: string): string {
  return uploadId.replace(/^upl_/, 'imp_');
}
