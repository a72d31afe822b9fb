import type { CauseCode } from '../../causes/causes.ts';
import type { Findings } from '../../causes/verdict.ts';

export type RowState =
  | 'rejected'
  | 'duplicate'
  | 'pending'
  | 'waiting'
  | 'passed'
  | 'failed'
  | 'inconclusive'
  | 'cancelled';

export const settledStates = ['passed', 'failed', 'inconclusive', 'cancelled'] as const;
export type SettledState = (typeof settledStates)[number];

/** One line of an import and what became of it. */
export interface Row {
  importId: string;
  line: number;
  /** Normalised; for a rejected row as it came, cut to 320 characters. */
  address: string;
  displayName?: string;
  dailyLimit?: number;
  reference?: string;
  state: RowState;
  /** Why it was `rejected` or `duplicate`: a code and a sentence. */
  code?: string;
  message?: string;
  cause?: CauseCode;
  requestId?: string;
  attempt: number;
  /** When the first check of it began: what the limit in time is counted from. */
  since?: Date;
  nextCheckAt?: Date;
  /** What earlier attempts have priorFindings, kept while it waits. */
  priorFindings?: Findings;
}

export function isSettled(state: RowState): state is SettledState {
  return (settledStates as readonly RowState[]).includes(state);
}
