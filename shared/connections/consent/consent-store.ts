/**
 * The steps of an admin in the browser. With the customer's own app there is only the first. With the vendor's app the
 * admin then signs in, and confirms who may use the tenant.
 */
export const consentSteps = ['consent', 'signIn', 'confirm'] as const;
export type ConsentStep = (typeof consentSteps)[number];

/** A consent link, or a later step. Only a hash of its state is stored, so that nobody who reads the table can forge a callback. */
export interface ConsentRequest {
  /** A state counts for its own step only. */
  step: ConsentStep;
  stateHash: string;
  customerId: string;
  connectionId: string;
  expiresAt: Date;
  usedAt?: Date;
  /** Of a sign-in: what its answer must repeat, and what redeems its code (RFC 7636). */
  signIn?: { nonce: string; codeVerifier: string };
  /** Of a confirmation: the object ID of the admin who has signed in. */
  adminId?: string;
}

/** Stores consent links and their later steps. Every call rejects with `storage_unavailable` if storage is unavailable. */
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
