import { decisiveFinding } from '../../causes/findings.ts';
import type { Findings, Probe, Verdict } from '../../causes/verdict.ts';
import type { Mailbox, MailboxKind } from '../../mailboxes/mailbox.ts';
import { addVerdict, type VerdictChange } from '../../mailboxes/verdict-history.ts';
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

/** What is known of the mailbox from before the check. */
interface Before {
  keepsStatus?: boolean;
  historyBefore?: readonly VerdictChange[];
}

/**
 * One failed probe fails the mailbox. One unanswered probe makes it inconclusive. Skipped probes do not count.
 *
 * A mailbox that fails gives its slot back. It holds one, because every mailbox with an open row does.
 *
 * A mailbox that keeps its status is in use. A check that finds nothing out about it, or meets a defect of ours, leaves
 * it as it was.
 */
export function rowResultOf(
  findings: Findings,
  kind: MailboxKind,
  { keepsStatus = false, historyBefore }: Before = {},
): RowResult {
  const decisive = decisiveFinding(findings);
  const state = decisive?.verdict === 'failed' || decisive?.verdict === 'passed' ? decisive.verdict : 'inconclusive';
  const isKept = keepsStatus && (state === 'inconclusive' || decisive?.cause === 'internal_error');
  const isFreed = state === 'failed' && !isKept;
  const { checkedAt: changedAt, cause } = decisive ?? {};
  const change = changedAt && ({ changedAt, verdict: state, ...(cause && { cause }) } as const);
  const history = change && addVerdict(historyBefore, change);
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
      ...(!isKept && history && history !== historyBefore && { history }),
      ...(changedAt && { lastCheck: { checkedAt: changedAt, verdict: state } }),
      nextCheckAt: null,
      waitCause: null,
      openRow: null,
      // Only a mailbox that holds a slot can be paused.
      ...(isFreed && { slotClaimedBy: null, pausedAt: null }),
    },
    counts: isFreed ? { slotsFreed: 1 } : {},
  };
}

function verdictsOf(findings: Findings): Partial<Record<Probe, Verdict>> {
  return Object.fromEntries(Object.entries(findings).map(([probe, { verdict }]) => [probe, verdict]));
}
