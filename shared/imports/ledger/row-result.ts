import { decisiveFinding } from '../../causes/findings.ts';
import type { Findings, Probe, Verdict } from '../../causes/verdict.ts';
import type { Mailbox, MailboxKind } from '../../mailboxes/mailbox.ts';
import type { Patch } from './ledger.ts';
import type { Row } from './row.ts';
import type { TallyCounts } from './tally.ts';

/** What a finished check writes into the row and its mailbox. */
interface RowResult {
  state: 'passed' | 'failed' | 'inconclusive';
  row: Patch<Row>;
  mailbox: Patch<Mailbox>;
  /** What the tally counts besides the state. */
  counts: Partial<TallyCounts>;
}

/**
 * One failed probe fails the mailbox. One unanswered probe makes it inconclusive. Skipped probes do not count.
 *
 * A mailbox that fails gives its slot back. It holds one, because every mailbox with an open row does.
 *
 * @param keepsStatus the mailbox is in use. A check that finds nothing out about it, or meets a defect of ours, leaves it
 * as it was
 */
export function rowResultOf(findings: Findings, kind: MailboxKind, keepsStatus = false): RowResult {
  const decisive = decisiveFinding(findings);
  const state = decisive?.verdict === 'failed' || decisive?.verdict === 'passed' ? decisive.verdict : 'inconclusive';
  const isKept = keepsStatus && (state === 'inconclusive' || decisive?.cause === 'internal_error');
  const isFreed = state === 'failed' && !isKept;
  return {
    state,
    row: {
      cause: decisive?.cause ?? null,
      detail: decisive?.detail ?? null,
      microsoftCode: decisive?.microsoftCode ?? null,
      requestId: decisive?.requestId ?? null,
      checkedAt: decisive?.checkedAt ?? null,
      verdicts: verdictsOf(findings),
      nextCheckAt: null,
      priorFindings: null,
      priorKind: null,
      priorIdentity: null,
      heldAt: null,
    },
    mailbox: {
      ...(!isKept && { status: state === 'passed' ? 'active' : state, kind, checks: findings }),
      nextCheckAt: null,
      openRow: null,
      ...(isFreed && { slotClaimedBy: null }),
    },
    counts: isFreed ? { slotsFreed: 1 } : {},
  };
}

function verdictsOf(findings: Findings): Partial<Record<Probe, Verdict>> {
  return Object.fromEntries(Object.entries(findings).map(([probe, { verdict }]) => [probe, verdict]));
}
