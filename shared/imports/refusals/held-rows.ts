import { canBePropagation } from '../../causes/denial.ts';
import type { Findings } from '../../causes/verdict.ts';
import type { Connection } from '../../connections/connection.ts';
import type { PropagationSteps } from '../../connections/grants/propagation.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import { type ChangeRowsDeps, changeRows, type RowChange } from '../ledger/change-rows.ts';
import { keepsStatus, type Row } from '../ledger/row.ts';
import { rowResultOf } from '../ledger/row-result.ts';
import { waitForGrantsResult } from './wait-for-grants.ts';

interface HeldRowsDeps extends ChangeRowsDeps {
  propagation: PropagationSteps;
  clock: Clock;
}

/** Gives held rows what follows from their own findings: a verdict, or a wait for grants that may be propagating. */
export async function settleHeld(
  deps: HeldRowsDeps,
  record: Import,
  { grantsChangedAt }: Pick<Connection, 'grantsChangedAt'>,
  rows: readonly Tagged<Row>[],
): Promise<void> {
  const now = deps.clock.now();
  await changeRows(deps, record, rows, ({ priorFindings = {}, heldAt = now, ...held }): RowChange => {
    const isKept = keepsStatus(held);
    // The grants may have propagated since. What counts is whether the refusal came after the last step.
    const step = deps.propagation.nextAfter(grantsChangedAt, heldAt);
    if (step && Object.values(priorFindings).some(canBePropagation)) {
      const nextCheckAt = step > now ? step : now;
      const { row, mailbox } = waitForGrantsResult(priorFindings, nextCheckAt, isKept);
      return { row: { ...row, heldAt: null }, mailbox, counts: { held: -1 } };
    }
    const { state, row, mailbox, counts } = rowResultOf(priorFindings, 'unknown', { ...held, keepsStatus: isKept });
    const { kind: _keptFromTheCheck, ...rest } = mailbox;
    return { row: { ...row, state }, mailbox: rest, counts: { waiting: -1, held: -1, [state]: 1, ...counts } };
  });
}

/** Makes held rows due again. What passed is not asked again. */
export async function releaseHeld(deps: HeldRowsDeps, record: Import, rows: readonly Tagged<Row>[]): Promise<void> {
  const nextCheckAt = deps.clock.now();
  await changeRows(deps, record, rows, ({ priorFindings = {} }) => ({
    row: { heldAt: null, priorFindings: passedOnly(priorFindings), nextCheckAt },
    mailbox: { nextCheckAt, waitCause: null },
    counts: { held: -1 },
  }));
}

function passedOnly(findings: Findings): Findings {
  return Object.fromEntries(Object.entries(findings).filter(([, { verdict }]) => verdict === 'passed'));
}
