import type { z } from 'zod';
import type { SkipCode } from '../../shared/imports/actions/decide-action.ts';
import { isEnded, starterOf } from '../../shared/imports/import.ts';
import type { Row, RowState } from '../../shared/imports/ledger/row.ts';
import type { Progress } from '../../shared/imports/progress/progress.ts';
import { isCheck, type MailboxAction } from '../../shared/mailboxes/mailbox-action.ts';
import type { actionRowSchema, actionRowStates, actionSchema } from './mailbox-action-schemas.ts';
import { presentImportFinding } from './present-import.ts';

type ActionRowState = (typeof actionRowStates)[number];

/** An action and its counts, as the API shows them. */
export function presentAction(action: MailboxAction, progress: Progress): z.infer<typeof actionSchema> {
  const { record, counts, findingCounts, secondsLeft, waitingFor } = progress;
  const verdicts = isCheck(action) ? counts : { passed: 0, failed: 0, inconclusive: 0 };
  const skipped = counts.rejected + counts.duplicates;
  const done = counts.passed + counts.failed + counts.inconclusive;
  // While it is being planned, `pending` includes the mailboxes that nobody has looked at yet.
  const pending = counts.rows - skipped - counts.waiting - done - counts.cancelled;
  return {
    id: record.id,
    connectionId: record.connectionId,
    action,
    startedBy: starterOf(record),
    status: record.status,
    counts: {
      mailboxes: counts.rows,
      skipped,
      pending,
      waiting: counts.waiting,
      done,
      cancelled: counts.cancelled,
      passed: verdicts.passed,
      failed: verdicts.failed,
      inconclusive: verdicts.inconclusive,
    },
    skipped: findingCounts,
    percent: isEnded(record.status) ? 100 : percentOf(counts.rows, pending + counts.waiting),
    secondsLeft,
    createdAt: record.createdAt.toISOString(),
    startedAt: record.startedAt?.toISOString() ?? null,
    finishedAt: record.finishedAt?.toISOString() ?? null,
    rowsExpireAt: record.rowsExpireAt?.toISOString() ?? null,
    finding: record.finding ? presentImportFinding(record.finding) : null,
    waitingFor: waitingFor && { ...waitingFor, until: waitingFor.until?.toISOString() ?? null },
  };
}

/** Rounded down, and below 100 until the end. */
function percentOf(all: number, open: number): number {
  return all === 0 ? 0 : Math.min(99.9, Math.floor(((all - open) / all) * 1000) / 10);
}

const shownStates: Record<RowState, ActionRowState> = {
  rejected: 'skipped',
  duplicate: 'skipped',
  pending: 'pending',
  waiting: 'waiting',
  passed: 'passed',
  failed: 'failed',
  inconclusive: 'inconclusive',
  cancelled: 'cancelled',
};

/** The state of the rows that a filter asks for. */
export function storedState(shown: ActionRowState): RowState {
  if (shown === 'skipped') return 'rejected';
  return shown === 'done' ? 'passed' : shown;
}

/** One mailbox of an action, as the API shows it. */
export function presentActionRow(action: MailboxAction, row: Row): z.infer<typeof actionRowSchema> {
  const { code } = row;
  return {
    address: row.address,
    state: row.state === 'passed' && !isCheck(action) ? 'done' : shownStates[row.state],
    ...(code !== undefined && { code: code as SkipCode }),
    ...(row.message !== undefined && { message: row.message }),
    ...(row.cause !== undefined && row.state !== 'pending' && { cause: row.cause }),
    ...(row.requestId !== undefined && { requestId: row.requestId }),
    ...(row.nextCheckAt && { nextCheckAt: row.nextCheckAt.toISOString() }),
    ...(row.reference !== undefined && { reference: row.reference }),
  };
}
