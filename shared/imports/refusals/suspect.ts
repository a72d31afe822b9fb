import { canBePropagation } from '../../causes/denial.ts';
import { type Findings, type Probe, type ProbeFinding, probes } from '../../causes/verdict.ts';

/** A refusal that every mailbox of the connection could get. */
export interface Suspect {
  probe: Probe;
  finding: ProbeFinding;
}

/** The first finding that every mailbox of the connection could get. */
export function suspectIn(findings: Findings): Suspect | undefined {
  for (const probe of probes) {
    const finding = findings[probe];
    if (finding && finding.verdict !== 'passed' && mayConcernAll(finding)) return { probe, finding };
  }
  return undefined;
}

function mayConcernAll(finding: ProbeFinding): boolean {
  return (
    canBePropagation(finding) || finding.cause === 'smtp_auth_disabled_tenant' || finding.cause === 'unknown_refusal'
  );
}
