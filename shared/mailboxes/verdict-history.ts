import type { CauseCode } from '../causes/causes.ts';

/** From then on, a mailbox had this verdict for this cause. */
export interface VerdictChange {
  changedAt: Date;
  verdict: 'passed' | 'failed' | 'inconclusive';
  cause?: CauseCode;
}

/** Changes that are kept. */
export const HISTORY_MAX = 20;

/** The history with this verdict, if it is another one than the last, or has another cause. Newest first. */
export function addVerdict(
  history: readonly VerdictChange[] | undefined,
  change: VerdictChange,
): readonly VerdictChange[] | undefined {
  const last = history?.[0];
  if (last?.verdict === change.verdict && last.cause === change.cause) return history;
  return [change, ...(history ?? [])].slice(0, HISTORY_MAX);
}
