import { isResourceMissing, statusOf } from '../storage-errors.ts';

/** `index` is the position in the transaction of the action that failed. */
export interface TransactionFailure {
  index: number;
  why: 'exists' | 'absent' | 'changed';
}

const whyByStatus: Record<number, TransactionFailure['why']> = { 404: 'absent', 409: 'exists', 412: 'changed' };

/** Which action of a transaction found a record that it did not expect. `undefined` if it failed for another reason. */
export function transactionFailure(error: unknown): TransactionFailure | undefined {
  const why = whyByStatus[statusOf(error) ?? 0];
  if (!why || !(error instanceof Error) || isResourceMissing(error)) return undefined;
  // The message starts with the index: "3:The update condition specified in the request was not satisfied."
  const index = /^(\d+):/.exec(error.message)?.[1];
  return index === undefined ? undefined : { index: Number(index), why };
}
