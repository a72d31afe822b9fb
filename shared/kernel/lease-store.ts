/** A right that one holder at a time has. It ends by itself if its holder dies. */
export interface Lease {
  /** Unique to one try to take it. */
  holder: string;
  until: Date;
}

/** Stores who has a right. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface LeaseStore<L extends Lease = Lease> {
  /** Resolves to a tag, or to `undefined` if another holder has a lease that has not ended. */
  take(lease: L, now: Date): Promise<string | undefined>;
  /** Moves the end. Resolves to the new tag, or to `undefined` if the lease is lost. */
  renew(lease: L, tag: string): Promise<string | undefined>;
  /** Succeeds if the lease is lost. */
  release(lease: L, tag: string): Promise<void>;
}
