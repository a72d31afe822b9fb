import type { CauseCode } from './causes.ts';
import { explain, type KnownCase, knownOf } from './explain.ts';
import type { ConnectionFinding, Findings, Probe, ProbeFinding, Verdict } from './verdict.ts';

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

/** The probe of `decisiveFinding`, from the verdicts alone. */
export function decisiveProbe(verdicts: Partial<Record<Probe, Verdict>>): Probe | undefined {
  const asked = Object.entries(verdicts) as [Probe, Verdict][];
  const first = (wanted: Verdict) => asked.find(([, verdict]) => verdict === wanted)?.[0];
  return first('failed') ?? first('inconclusive');
}

/**
 * A finding about the whole connection, with the cause's own sentence.
 *
 * @param about what its texts depend on, if it is about permissions
 */
export function connectionFinding(
  cause: CauseCode,
  seenAt: Date,
  requestId: string | undefined,
  microsoftCode?: string,
  about: KnownCase = {},
): ConnectionFinding {
  return {
    cause,
    ...knownOf(cause, about),
    detail: explain(cause, about).sentence,
    seenAt,
    ...(requestId !== undefined && { requestId }),
    ...(microsoftCode ? { microsoftCode } : {}),
  };
}
