import type { CheckMessage, ImportMessage } from './messages.ts';

/**
 * The queues of an import. A message may be delivered twice and may be lost: the rows in the ledger are the truth.
 * Every call rejects with `storage_unavailable` if storage is unavailable. `delayMs` is how long the message stays
 * hidden.
 */
export interface ImportQueues {
  sendPlan(message: ImportMessage, delayMs?: number): Promise<void>;
  sendDispatch(message: ImportMessage, delayMs?: number): Promise<void>;
  sendCheck(message: CheckMessage, delayMs?: number): Promise<void>;
  /** When the oldest visible check message was sent; `undefined` if there is none. */
  getOldestCheckSentAt(): Promise<Date | undefined>;
}
