/** A consent link that was given out. Its state is kept as a hash: whoever reads the table cannot forge a callback. */
export interface ConsentRequest {
  stateHash: string;
  customerId: string;
  connectionId: string;
  expiresAt: Date;
  usedAt?: Date;
}

/** Rejects with `storage_unavailable` when storage is away. */
export interface ConsentStore {
  insert(request: ConsentRequest): Promise<void>;
  get(stateHash: string): Promise<ConsentRequest | undefined>;
  /** Resolves to `true` for the one caller that uses it first. */
  use(stateHash: string, at: Date): Promise<boolean>;
}
