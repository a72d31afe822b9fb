/** The right to upload to a connection. It ends by itself if its holder dies. */
export interface UploadLease {
  customerId: string;
  connectionId: string;
  /** Unique to one request. */
  holder: string;
  until: Date;
}

/** Stores who is uploading. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface UploadLeaseStore {
  /** Resolves to a tag, or to `undefined` if another holder has a lease that has not ended. */
  take(lease: UploadLease, now: Date): Promise<string | undefined>;
  /** Moves the end. Resolves to the new tag, or to `undefined` if the lease is lost. */
  renew(lease: UploadLease, tag: string): Promise<string | undefined>;
  /** Succeeds if the lease is lost. */
  release(lease: UploadLease, tag: string): Promise<void>;
}
