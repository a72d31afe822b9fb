import type { Tagged } from './tagged.ts';

/** An answer as it will be given again: without any credential it held. */
export interface RememberedAnswer {
  status: number;
  headers: Record<string, string>;
  text?: string;
}

/** What is known of a request that came with an `Idempotency-Key`. */
export interface AnswerRecord {
  /** Whose key it is: a customer, or an operator's API key. */
  owner: string;
  /** Stands for the key and what it was sent to; reveals neither. */
  id: string;
  /** Stands for the body. Absent while a body is still being streamed. */
  fingerprint?: string;
  /** Until then the first request may still be running. */
  lockedUntil: Date;
  expiresAt: Date;
  /** Absent while the first request is running, or when it died. */
  answer?: RememberedAnswer;
}

/** Where answers are kept for `Idempotency-Key`. Every call rejects with `storage_unavailable` when storage is away. */
export interface AnswerMemory {
  get(owner: string, id: string): Promise<Tagged<AnswerRecord> | undefined>;
  /** Resolves to the tag, or to `undefined` when there is such a record already. */
  insert(record: AnswerRecord): Promise<string | undefined>;
  /** Resolves to the new tag, or to `undefined` when the record has changed since `tag` or is gone. */
  update(record: AnswerRecord, tag: string): Promise<string | undefined>;
  /** Forgets the record unless it has changed since `tag`. Removing what is not there is success. */
  remove(record: Pick<AnswerRecord, 'owner' | 'id'>, tag: string): Promise<void>;
  /** Forgets everything of an owner. */
  purge(owner: string): Promise<void>;
  /** Forgets what has expired; resolves to how many records that were. */
  removeExpired(before: Date): Promise<number>;
}
