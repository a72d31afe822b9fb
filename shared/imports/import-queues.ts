import type { CheckMessage, ImportMessage } from './messages.ts';

/**
 * The queues of an import. A message may be delivered twice and may be lost: the rows in the ledger are the truth.
 * Each call rejects with `storage_unavailable` when the queue does not answer. `delayMs` hides the message for that long.
 */
export interface ImportQueues {
  sendPlan(message: ImportMessage, delayMs?: number): Promise<void>;
  sendDispatch(message: ImportMessage, delayMs?: number): Promise<void>;
  sendCheck(message: CheckMessage, delayMs?: number): Promise<void>;
  /** When the oldest visible check message was sent; `undefined` when there is none. */
  getOldestCheckSentAt(): Promise<Date | undefined>;
}
