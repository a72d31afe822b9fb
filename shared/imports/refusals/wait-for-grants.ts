import { canBePropagation } from '../../causes/denial.ts';
import type { Findings, Probe, ProbeFinding } from '../../causes/verdict.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Patch } from '../ledger/ledger.ts';
import type { Row } from '../ledger/row.ts';

/**
 * What to write when a row waits for grants that may still be propagating. At `nextCheckAt`, only the refused probes are
 * asked again.
 */
export function waitForGrantsResult(
  findings: Findings,
  nextCheckAt: Date,
  keepsStatus = false,
): { row: Patch<Row>; mailbox: Patch<Mailbox> } {
  const refused = Object.values(findings).find(canBePropagation);
  return {
    row: {
      cause: 'propagating',
      requestId: refused?.requestId ?? null,
      nextCheckAt,
      // A quiet period is not an outage, so the time limit for giving up starts over.
      firstDeferredAt: null,
      priorFindings: filterFindings(findings, (finding) => finding.verdict !== 'skipped' && !canBePropagation(finding)),
    },
    mailbox: {
      ...(!keepsStatus && { status: 'waiting', checks: asPropagating(findings) }),
      nextCheckAt,
      waitCause: 'propagating',
    },
  };
}

function filterFindings(findings: Findings, isWanted: (finding: ProbeFinding) => boolean): Findings {
  return Object.fromEntries(Object.entries(findings).filter(([, finding]) => isWanted(finding)));
}

/** What the customer sees while the row waits: no verdict yet for a probe whose grant may be propagating. */
function asPropagating(findings: Findings): Findings {
  const masked: Findings = {};
  for (const [probe, finding] of Object.entries(findings) as [Probe, ProbeFinding][]) {
    const { denial: _internal, detail: _outdated, ...rest } = finding;
    masked[probe] = canBePropagation(finding) ? { ...rest, verdict: 'inconclusive', cause: 'propagating' } : finding;
  }
  return masked;
}
