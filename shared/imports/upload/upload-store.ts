/**
 * Where uploads lie until they are planned, and as long as their import does. Rejects with `storage_unavailable` when
 * storage is away.
 */
export interface UploadStore {
  /**
   * Stores what the source gives, as it comes. Either all of it is there afterwards or, when the source fails, nothing:
   * the promise then rejects with the source's own error. Replaces what lay there.
   */
  put(
    customerId: string,
    importId: string,
    source: AsyncIterable<Uint8Array>,
    contentType: string,
  ): Promise<{ bytes: number }>;
  /** Resolves to `undefined` when there is none. */
  read(customerId: string, importId: string): Promise<AsyncIterable<Uint8Array> | undefined>;
  /** Repeatable: removing what is not there is done. */
  remove(customerId: string, importId: string): Promise<void>;
  /** Removes all uploads of a customer; repeatable. */
  purge(customerId: string): Promise<void>;
}
