import type { CauseCode } from './causes.ts';

const graphProbes = ['graph.readWrite', 'graph.send'] as const;
/** Probes that sign in with a token for Exchange Online. */
export const protocolProbes = ['imap', 'smtp'] as const;
export type ProtocolProbe = (typeof protocolProbes)[number];

/** The questions that a check can ask about a mailbox. These names are part of the API. */
export const probes = [...graphProbes, ...protocolProbes] as const;
export type Probe = (typeof probes)[number];

export function isGraphProbe(probe: Probe): boolean {
  return graphProbes.some((one) => one === probe);
}

export const verdicts = ['passed', 'failed', 'inconclusive', 'skipped'] as const;
export type Verdict = (typeof verdicts)[number];

/** What the token shows as granted for a probe: its permission, only other permissions, or none at all. */
export const tokenGrants = ['grants', 'lacks', 'empty'] as const;

/**
 * The facts that the explanation of a denial depends on. They are stored with the finding, so that the explanation can
 * be corrected when more is known.
 */
export interface DenialHints {
  /** Whether Microsoft's message names a policy of the tenant. */
  byPolicy: boolean;
  /** Covers grants for the whole tenant. Grants by RBAC for Applications are not in the token. */
  token: (typeof tokenGrants)[number];
  /** Whether another request of the same check opened the mailbox, which proves that it exists and is in use. */
  mailboxOpened: boolean;
}

/** The answer of a probe about one mailbox. */
export interface ProbeFinding {
  verdict: Verdict;
  checkedAt: Date;
  cause?: CauseCode;
  /** A sentence about this mailbox; absent if the sentence of the cause says enough. */
  detail?: string;
  /** Microsoft's error code, for support and for refusals that we do not recognize. */
  microsoftCode?: string;
  /** Microsoft's `request-id` of the answer that decided the verdict. */
  requestId?: string;
  /** When Microsoft accepted a message that has not arrived yet. */
  sentAt?: Date;
  /** Only of a denial. */
  denial?: DenialHints;
}

export type Findings = Partial<Record<Probe, ProbeFinding>>;

/** A finding about a whole connection, not about one mailbox. */
export interface ConnectionFinding {
  cause: CauseCode;
  /** The probes that it is about; absent if it is about all of them, or no permission is involved. */
  probes?: readonly Probe[];
  /** If every mailbox denied one probe. */
  denial?: DenialHints;
  /** If the app is the vendor's, and the fix depends on it. */
  isVendorApp?: true;
  detail: string;
  microsoftCode?: string;
  requestId?: string;
  seenAt: Date;
}
