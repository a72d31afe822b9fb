import { type CauseCode, causes } from './causes.ts';
import { explainDenial, hintsOf } from './denial.ts';
import { entraCodes, oauthErrors } from './entra-codes.ts';
import { denialCodes, graphCodes } from './graph-codes.ts';
import type { Refusal } from './refusal.ts';
import type { Probe } from './verdict.ts';
import { readImap, readSmtp } from './wording.ts';

/** What else is known when a refusal comes in. */
export interface RefusalContext {
  probe?: Probe;
  /** What the token shows as granted. */
  roles?: readonly string[];
  /** Whether other mailboxes of the connection pass this very probe. */
  othersPassed?: boolean;
  /** Whether the same check got into the mailbox in another way. */
  mailboxOpened?: boolean;
}

/**
 * Names the cause of a refusal, by its code and by what else is known.
 *
 * What it has no name for is `unknown_refusal`: never guessed, never taken for a pass.
 */
export function classify(refusal: Refusal, context: RefusalContext = {}): CauseCode {
  switch (refusal.service) {
    case 'entra':
      return (
        own(entraCodes, refusal.code) ??
        own(oauthErrors, refusal.family ?? refusal.code) ??
        byStatus(refusal.status) ??
        'unknown_refusal'
      );
    case 'graph':
      return classifyGraph(refusal, context);
    case 'imap':
      return readImap(refusal);
    case 'smtp':
      return readSmtp(refusal);
  }
}

function classifyGraph(refusal: Refusal, context: RefusalContext): CauseCode {
  const named = own(graphCodes, refusal.innerCode ?? '') ?? own(graphCodes, refusal.code);
  if (named) return named;
  if (denialCodes.has(refusal.code) && refusal.status < 500) {
    if (!context.probe) return 'unknown_refusal';
    const hints = hintsOf(refusal, context.probe, context.roles ?? [], context.mailboxOpened);
    return explainDenial(hints, context.othersPassed);
  }
  if (refusal.status === 507) return 'mailbox_full';
  return byStatus(refusal.status) ?? 'unknown_refusal';
}

/**
 * 509 is not in any RFC; Graph's own list of errors has it as a limit on bandwidth. 424 is what a batch may come to when
 * its parts were throttled.
 */
function byStatus(status: number): CauseCode | undefined {
  if (status === 429 || status === 509 || status === 424) return 'throttled';
  return status >= 500 ? 'microsoft_unavailable' : undefined;
}

function own(table: Readonly<Record<string, CauseCode>>, key: string): CauseCode | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** Causes that are no verdict yet: Microsoft asks for time, and the same question is asked again later. */
export type WaitCause = Extract<CauseCode, 'throttled' | 'microsoft_unavailable' | 'mailbox_moving'>;

export function isWaitCause(cause: CauseCode): cause is WaitCause {
  return cause === 'throttled' || cause === 'microsoft_unavailable' || cause === 'mailbox_moving';
}

export function concernsConnection(cause: CauseCode): boolean {
  return causes[cause].concerns === 'connection';
}
