import type { z } from 'zod';
import type { SkipCode } from '../../../shared/imports/actions/decide-action.ts';
import { starterOf } from '../../../shared/imports/import.ts';
import type { Row, RowState } from '../../../shared/imports/ledger/row.ts';
import type { SettledMailbox } from '../../../shared/imports/ledger/settled-mailbox.ts';
import type { Progress } from '../../../shared/imports/progress/progress.ts';
import { isCheck, type MailboxAction } from '../../../shared/mailboxes/mailbox-action.ts';
import { presentImportFinding } from '../imports/present-import.ts';
import type { actionRowSchema, actionRowStates, actionSchema, doneMailboxesSchema } from './mailbox-action-schemas.ts';

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
    percent: progress.percent,
    secondsLeft,
    createdAt: record.createdAt.toISOString(),
    startedAt: record.startedAt?.toISOString() ?? null,
    finishedAt: record.finishedAt?.toISOString() ?? null,
    rowsExpireAt: record.rowsExpireAt?.toISOString() ?? null,
    finding: record.finding ? presentImportFinding(record.finding) : null,
    waitingFor: waitingFor && { ...waitingFor, until: waitingFor.until?.toISOString() ?? null },
  };
}

const shownStates = {
  rejected: 'skipped',
  duplicate: 'skipped',
  pending: 'pending',
  waiting: 'waiting',
  passed: 'passed',
  failed: 'failed',
  inconclusive: 'inconclusive',
  cancelled: 'cancelled',
} as const satisfies Record<RowState, ActionRowState>;

/** The state of the rows that a filter asks for. */
export function storedState(shown: ActionRowState): RowState {
  if (shown === 'skipped') return 'rejected';
  return shown === 'done' ? 'passed' : shown;
}

/** A mailbox that an action is done with, as its events show it. */
export function presentDoneMailbox(
  action: MailboxAction,
  { address, state, cause }: SettledMailbox,
): z.infer<typeof doneMailboxesSchema>['mailboxes'][number] {
  return { address, state: stateOf(action, state), ...(cause !== undefined && { cause }) };
}

function stateOf<State extends RowState>(action: MailboxAction, state: State) {
  return state === 'passed' && !isCheck(action) ? 'done' : shownStates[state];
}

/** One mailbox of an action, as the API shows it. */
export function presentActionRow(action: MailboxAction, row: Row): z.infer<typeof actionRowSchema> {
  const { code } = row;
  return {
    address: row.address,
    state: stateOf(action, row.state),
    ...(code !== undefined && { code: code as SkipCode }),
    ...(row.message !== undefined && { message: row.message }),
    ...(row.cause !== undefined && row.state !== 'pending' && { cause: row.cause }),
    ...(row.requestId !== undefined && { requestId: row.requestId }),
    ...(row.nextCheckAt && { nextCheckAt: row.nextCheckAt.toISOString() }),
    ...(row.reference !== undefined && { reference: row.reference }),
  };
}
