import type { Tagged } from './tagged.ts';

/** An answer to replay. Credentials are removed before it is stored. */
export interface RememberedAnswer {
  status: number;
  headers: Record<string, string>;
  text?: string;
}

/** What we store about a request with an `Idempotency-Key`. */
export interface AnswerRecord {
  /** The ID of the customer, or of the operator's API key. */
  owner: string;
  /** The customer that it is about. An operator's key owns answers about many. */
  customerId?: string;
  /** A hash of the key and the route. Reveals neither. */
  id: string;
  /** A keyed hash of the body. Absent while the body is still streaming. */
  fingerprint?: string;
  /** When the first request with this key began. Stays the same when a later request takes over. */
  begunAt: Date;
  /** Random, new with each request that takes the key. Shows a request whether a record is its own. */
  holder: string;
  /** The request that holds the key may still be running until then. */
  lockedUntil: Date;
  expiresAt: Date;
  /** Absent while a request is running, after it died, and after a failure that a retry may fix. */
  answer?: RememberedAnswer;
}

/** Stores answers for `Idempotency-Key`. Every call rejects with `storage_unavailable` if storage is unavailable. */
export interface AnswerMemory {
  get(owner: string, id: string): Promise<Tagged<AnswerRecord> | undefined>;
  /** Resolves to the tag, or to `undefined` if the record exists. */
  insert(record: AnswerRecord): Promise<string | undefined>;
  /** Resolves to the new tag, or to `undefined` if the record has changed since `tag` or is gone. */
  update(record: AnswerRecord, tag: string): Promise<string | undefined>;
  /** Removes the record unless it has changed since `tag`. Succeeds if there is no such record. */
  remove(record: Pick<AnswerRecord, 'owner' | 'id'>, tag: string): Promise<void>;
  /** Removes all records that a customer owns or that are about it. Repeatable. */
  purge(customerId: string): Promise<void>;
  /** Removes expired records. Resolves to their number. */
  removeExpired(before: Date): Promise<number>;
}
