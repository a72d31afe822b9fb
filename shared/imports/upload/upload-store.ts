/** Stores the uploads of imports. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface UploadStore {
  /**
   * Stores the source as it streams in, and replaces an earlier upload of the same import.
   *
   * Stores everything or nothing. If the source fails, this rejects with the source's own error.
   */
  put(
    customerId: string,
    importId: string,
    source: AsyncIterable<Uint8Array>,
    contentType: string,
  ): Promise<{ bytes: number }>;
  /** Resolves to `undefined` if there is no upload. */
  read(customerId: string, importId: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Succeeds if there is nothing to remove. */
  remove(customerId: string, importId: string): Promise<void>;
  /** Removes all uploads of a customer. Repeatable. */
  purge(customerId: string): Promise<void>;
}
