import type { CauseCode } from './causes.ts';

/** One question of a check, in the words of the API. */
export const probes = ['graph.readWrite', 'graph.send', 'imap', 'smtp'] as const;
export type Probe = (typeof probes)[number];

/** The service through which a probe reaches the mailbox. */
export type ProbeAccess = 'graph' | 'imap' | 'smtp';

export const probeAccess: Record<Probe, ProbeAccess> = {
  'graph.readWrite': 'graph',
  'graph.send': 'graph',
  imap: 'imap',
  smtp: 'smtp',
};

export type Verdict = 'passed' | 'failed' | 'inconclusive' | 'skipped';

/**
 * What a plain denial can be explained by. It is kept with the finding, so that the explanation can be put right once
 * more is known.
 */
export interface DenialHints {
  /** Microsoft's sentence names a policy of the tenant. */
  byPolicy: boolean;
  /** What the token shows as granted for the whole tenant. Grants by RBAC for Applications do not show in it. */
  token: 'grants' | 'lacks' | 'empty';
  /** Whether the same check got into the mailbox in another way: then there is one, and it is in use. */
  mailboxOpened: boolean;
}

/** A probe's answer about one mailbox. */
export interface ProbeFinding {
  verdict: Verdict;
  checkedAt: Date;
  cause?: CauseCode;
  /** A sentence about this very mailbox; absent where the cause's own sentence says it all. */
  detail?: string;
  /** Microsoft's own code, kept for support and for causes that we cannot name. */
  microsoftCode?: string;
  /** Microsoft's `request-id` of the answer that decided. */
  requestId?: string;
  /** Of a message that Microsoft accepted and that has not come in yet: when that was. */
  sentAt?: Date;
  /** Of a plain denial: what its explanation rests on. */
  denial?: DenialHints;
}

export type Findings = Partial<Record<Probe, ProbeFinding>>;

/** What concerns a whole connection, not one mailbox. */
export interface ConnectionFinding {
  cause: CauseCode;
  detail: string;
  microsoftCode?: string;
  requestId?: string;
  seenAt: Date;
}
