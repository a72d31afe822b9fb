import type { MailboxAction } from '../../mailboxes/mailbox-action.ts';
import type { PlanRecord } from './plan-record.ts';
import { countSettled, type TallyCounts } from './tally.ts';

/** The counts of an import as the API shows them. `accepted` is always the sum of the last six. */
export interface Counts {
  rows: number;
  accepted: number;
  rejected: number;
  duplicates: number;
  pending: number;
  waiting: number;
  passed: number;
  failed: number;
  inconclusive: number;
  cancelled: number;
}

/**
 * The counts that follow from a plan and the sum of its tallies. `pending` is what remains, so the sum always holds.
 *
 * @param uploadedRows the rows in the upload. Until planning has ended, the plan has seen only some of them
 */
export function countRows(plan: PlanRecord | undefined, tallied: TallyCounts, uploadedRows = 0): Counts {
  const { rows = 0, accepted = 0, rejected = 0, duplicates = 0, done = false, closed = false } = plan ?? {};
  const { waiting, passed, failed, inconclusive, cancelled } = tallied;
  return {
    rows: done || closed ? rows : Math.max(rows, uploadedRows),
    accepted,
    rejected,
    duplicates,
    pending: accepted - countSettled(tallied) - waiting,
    waiting,
    passed,
    failed,
    inconclusive,
    cancelled,
  };
}

/** The rows that no check was spent on. They hold no slot, so a quota of their own limits them. */
export function rowsOfQuota({ rows, rejected, duplicates, cancelled }: Counts, action?: MailboxAction): number {
  const isChecked = action === undefined || action === 'check' || action === 'reconnect';
  return isChecked ? rejected + duplicates + cancelled : rows;
}
