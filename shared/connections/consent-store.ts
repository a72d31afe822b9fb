/** A consent link. Only a hash of its state is stored, so that nobody who reads the table can forge a callback. */
export interface ConsentRequest {
  stateHash: string;
  customerId: string;
  connectionId: string;
  expiresAt: Date;
  usedAt?: Date;
}

/** Stores consent links. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface ConsentStore {
  insert(request: ConsentRequest): Promise<void>;
  get(stateHash: string): Promise<ConsentRequest | undefined>;
  /** Marks a link as used. Resolves to `true` for the first caller only, and to `false` if there is no such link. */
  use(stateHash: string, at: Date): Promise<boolean>;
  /** Removes the links of a connection. Repeatable. */
  remove(connectionId: string): Promise<void>;
  /** Removes the links that expired before this instant. Repeatable. */
  removeExpired(before: Date): Promise<void>;
  /** Removes the links of a customer. Repeatable. */
  purge(customerId: string): Promise<void>;
}
