import { causes } from '../../shared/causes/causes.ts';
import type { Findings, ProbeFinding } from '../../shared/causes/verdict.ts';

/** Probes and their findings on the wire; the cause's sentence, fix and link come from the catalogue as it is today. */
export function presentFindings(findings: Findings) {
  return Object.fromEntries(Object.entries(findings).map(([probe, finding]) => [probe, presentFinding(finding)]));
}

function presentFinding(finding: ProbeFinding) {
  const cause = finding.cause === undefined ? undefined : causes[finding.cause];
  return {
    verdict: finding.verdict,
    checkedAt: finding.checkedAt.toISOString(),
    ...(finding.requestId !== undefined && { requestId: finding.requestId }),
    ...(finding.cause !== undefined && { cause: finding.cause }),
    ...(cause && { detail: finding.detail ?? cause.sentence, fix: cause.fix, link: cause.link }),
    ...(finding.microsoftCode !== undefined && { microsoftCode: finding.microsoftCode }),
  };
}
