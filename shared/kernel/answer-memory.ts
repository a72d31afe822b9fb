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
  /** A hash of the key and the route. Reveals neither. */
  id: string;
  /** A keyed hash of the body. Absent while the body is still streaming. */
  fingerprint?: string;
  /** The first request may still be running until then. */
  lockedUntil: Date;
  expiresAt: Date;
  /** Absent while the first request is running, and after it died. */
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
  /** Removes all records of an owner. */
  purge(owner: string): Promise<void>;
  /** Removes expired records. Resolves to their number. */
  removeExpired(before: Date): Promise<number>;
}
