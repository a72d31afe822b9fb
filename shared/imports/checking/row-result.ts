import type { CauseCode } from '../../causes/causes.ts';
import type { Findings, Probe, ProbeFinding } from '../../causes/verdict.ts';
import type { MailboxKind } from '../../checks/mailbox-checker.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Patch } from '../ledger/ledger.ts';
import type { Row } from '../ledger/row.ts';

/** What a check's findings make of the row and of its mailbox. */
export interface RowResult {
  state: 'passed' | 'failed' | 'inconclusive';
  row: Patch<Row>;
  mailbox: Patch<Mailbox>;
}

/** One failed probe fails the mailbox; one that could not be answered leaves it inconclusive; skipped ones do not count. */
export function rowResultOf(findings: Findings, kind: MailboxKind): RowResult {
  const decisive = decisiveFinding(findings);
  const state = decisive?.verdict === 'failed' || decisive?.verdict === 'passed' ? decisive.verdict : 'inconclusive';
  return {
    state,
    row: {
      cause: decisive?.cause ?? null,
      requestId: decisive?.requestId ?? null,
      nextCheckAt: null,
      priorFindings: null,
    },
    mailbox: {
      status: state === 'passed' ? 'active' : state,
      kind,
      checks: findings,
      nextCheckAt: null,
      open: null,
    },
  };
}

/** The finding that a row shows. */
export function decisiveFinding(findings: Findings): ProbeFinding | undefined {
  const asked = Object.values(findings).filter((finding) => finding.verdict !== 'skipped');
  return (
    asked.find((finding) => finding.verdict === 'failed') ??
    asked.find((finding) => finding.verdict === 'inconclusive') ??
    asked.at(-1)
  );
}

/** Fills in the probes that have no finding yet with one and the same cause. */
export function fillMissingFindings(
  priorFindings: Findings,
  probes: readonly Probe[],
  finding: { verdict: ProbeFinding['verdict']; cause: CauseCode; at: Date; requestId?: string; microsoftCode?: string },
): Findings {
  const filled: Findings = { ...priorFindings };
  for (const probe of probes) {
    filled[probe] ??= {
      verdict: finding.verdict,
      cause: finding.cause,
      checkedAt: finding.at,
      ...(finding.requestId !== undefined && { requestId: finding.requestId }),
      ...(finding.microsoftCode !== undefined && { microsoftCode: finding.microsoftCode }),
    };
  }
  return filled;
}
