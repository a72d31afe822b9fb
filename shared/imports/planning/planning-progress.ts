import type { Import } from '../import.ts';
import type { PlanRecord } from '../ledger/plan-record.ts';

export function isBeingPlanned({ status }: Pick<Import, 'status'>): boolean {
  return status === 'accepted' || status === 'planning';
}

/** Whether planning has made no progress for longer than `planOverdueMs`. Its message counts as lost then. */
export function isPlanningOverdue(
  record: Pick<Import, 'createdAt'>,
  plan: PlanRecord | undefined,
  now: Date,
  planOverdueMs: number,
): boolean {
  const lastProgressAt = Math.max(record.createdAt.getTime(), plan?.movedAt.getTime() ?? 0);
  return now.getTime() - lastProgressAt > planOverdueMs;
}
