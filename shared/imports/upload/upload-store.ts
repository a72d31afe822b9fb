/** Keeps uploads while their imports exist. Rejects with `storage_unavailable` when storage does not answer. */
export interface UploadStore {
  /**
   * Stores the source as it streams in, and replaces an earlier upload of the same import.
   *
   * Stores everything or nothing. When the source fails, this rejects with the source's own error.
   */
  put(
    customerId: string,
    importId: string,
    source: AsyncIterable<Uint8Array>,
    contentType: string,
  ): Promise<{ bytes: number }>;
  /** Resolves to `undefined` when there is no upload. */
  read(customerId: string, importId: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Idempotent: succeeds when there is no upload. */
  remove(customerId: string, importId: string): Promise<void>;
  /** Removes all uploads of a customer. Idempotent. */
  purge(customerId: string): Promise<void>;
}
