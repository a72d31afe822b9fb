import type { z } from 'zod';
import { causes } from '../../shared/causes/causes.ts';
import type { Findings, ProbeFinding } from '../../shared/causes/verdict.ts';
import type { probeFindingSchema } from './finding-schemas.ts';

/** A mailbox's findings as the API shows them. Sentence, fix and link come from today's catalogue of causes. */
export function presentFindings(findings: Findings) {
  return Object.fromEntries(Object.entries(findings).map(([probe, finding]) => [probe, presentFinding(finding)]));
}

function presentFinding(finding: ProbeFinding): z.infer<typeof probeFindingSchema> {
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
