import type { CauseCode } from '../../causes/causes.ts';
import { explain, knownOf } from '../../causes/explain.ts';
import type { ConnectionFinding, DenialHints } from '../../causes/verdict.ts';
import type { Suspect } from './suspect.ts';

/** The one finding for a refusal that every mailbox got. */
export function repeatedRefusalFinding(
  { probe, finding }: Suspect,
  refused: number,
  seenAt: Date,
  isVendorApp = false,
): ConnectionFinding {
  const { denial } = finding;
  const cause = (denial && causeOfDenialEverywhere(denial)) ?? finding.cause ?? 'unknown_refusal';
  const about = knownOf(cause, { probes: [probe], denial, isVendorApp });
  const detail = cause === finding.cause ? finding.detail : undefined;
  return {
    cause,
    ...about,
    detail: `Microsoft refused ${refused} mailboxes in a row in the same way, and none passed in between. ${detail ?? explain(cause, about).sentence}`,
    seenAt,
    ...(finding.microsoftCode !== undefined && { microsoftCode: finding.microsoftCode }),
    ...(finding.requestId !== undefined && { requestId: finding.requestId }),
  };
}

/** A denial of every mailbox has a cause of its own: consent or a permission is missing, even if the token shows it. */
function causeOfDenialEverywhere({ byPolicy, token, mailboxOpened }: DenialHints): CauseCode | undefined {
  if (byPolicy) return undefined;
  return mailboxOpened || token === 'lacks' ? 'permission_missing' : 'consent_missing';
}
