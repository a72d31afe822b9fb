import type { z } from 'zod';
import { explain } from '../../shared/causes/explain.ts';
import type { Findings, Probe, ProbeFinding } from '../../shared/causes/verdict.ts';
import type { probeFindingSchema } from './finding-schemas.ts';

/** A mailbox's findings as the API shows them. Sentence, fix and link come from today's catalogue of causes. */
export function presentFindings(findings: Findings, isVendorApp: boolean) {
  return Object.fromEntries(
    Object.entries(findings).map(([probe, finding]) => [probe, presentFinding(probe as Probe, finding, isVendorApp)]),
  );
}

function presentFinding(probe: Probe, finding: ProbeFinding, isVendorApp: boolean): z.infer<typeof probeFindingSchema> {
  const { cause: code, denial } = finding;
  const cause = code === undefined ? undefined : explain(code, { probes: [probe], denial, isVendorApp });
  return {
    verdict: finding.verdict,
    checkedAt: finding.checkedAt.toISOString(),
    ...(finding.requestId !== undefined && { requestId: finding.requestId }),
    ...(finding.cause !== undefined && { cause: finding.cause }),
    ...(cause && { detail: finding.detail ?? cause.sentence, fix: cause.fix, link: cause.link }),
    ...(finding.microsoftCode !== undefined && { microsoftCode: finding.microsoftCode }),
  };
}
