import { type CauseCode, causes } from './causes.ts';
import type { ConnectionFinding, Findings, Probe, ProbeFinding } from './verdict.ts';

/** The finding that decides a mailbox's verdict: a failed probe before an inconclusive one before a passed one. */
export function decisiveFinding(findings: Findings): ProbeFinding | undefined {
  const asked = Object.values(findings).filter((finding) => finding.verdict !== 'skipped');
  return (
    asked.find((finding) => finding.verdict === 'failed') ??
    asked.find((finding) => finding.verdict === 'inconclusive') ??
    asked.at(-1)
  );
}

/** Gives every probe that has no finding yet the same verdict and cause. */
export function fillMissingFindings(
  findings: Findings,
  probes: readonly Probe[],
  finding: { verdict: ProbeFinding['verdict']; cause: CauseCode; at: Date; requestId?: string; microsoftCode?: string },
): Findings {
  const filled: Findings = { ...findings };
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

/** A finding about the whole connection, with the cause's own sentence. */
export function connectionFinding(
  cause: CauseCode,
  seenAt: Date,
  requestId: string | undefined,
  microsoftCode?: string,
): ConnectionFinding {
  return {
    cause,
    detail: causes[cause].sentence,
    seenAt,
    ...(requestId !== undefined && { requestId }),
    ...(microsoftCode ? { microsoftCode } : {}),
  };
}
