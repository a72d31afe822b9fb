import { type CauseCode, causes } from './causes.ts';
import { explainDenial, hintsOf } from './denial.ts';
import { entraCodes, oauthErrors, vendorAppCauses } from './entra-codes.ts';
import { denialCodes, graphCodes } from './graph-codes.ts';
import type { Refusal } from './refusal.ts';
import type { Probe } from './verdict.ts';
import { readImap, readSignature, readSmtp } from './wording.ts';

/** What else is known when Microsoft refuses. */
export interface RefusalContext {
  probe?: Probe;
  /** The application permissions in the token. */
  roles?: readonly string[];
  /** Whether other mailboxes of the connection pass the same probe. */
  othersPassed?: boolean;
  /** Whether another request of the same check opened the mailbox. */
  mailboxOpened?: boolean;
}

/**
 * Finds the cause of a refusal, from its code and its context.
 *
 * A refusal that it does not recognize is `unknown_refusal`. It never guesses, and never counts a refusal as a pass.
 */
export function classify(refusal: Refusal, context: RefusalContext = {}): CauseCode {
  switch (refusal.service) {
    case 'entra':
      return classifyEntra(refusal);
    case 'graph':
      return classifyGraph(refusal, context);
    case 'imap':
      return readImap(refusal);
    case 'smtp':
      return readSmtp(refusal);
  }
}

function classifyEntra(refusal: Refusal): CauseCode {
  const cause =
    (refusal.code === 'AADSTS700027' ? readSignature(refusal) : own(entraCodes, refusal.code)) ??
    own(oauthErrors, refusal.family ?? refusal.code) ??
    byStatus(refusal.status) ??
    'unknown_refusal';
  return (refusal.isOfVendorApp && vendorAppCauses[cause]) || cause;
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
 * 509 is in no RFC, but Graph's list of errors has it for a bandwidth limit. A batch can answer 424 if its parts were
 * throttled.
 */
function byStatus(status: number): CauseCode | undefined {
  if (status === 429 || status === 509 || status === 424) return 'throttled';
  return status >= 500 ? 'microsoft_unavailable' : undefined;
}

function own(table: Readonly<Record<string, CauseCode>>, key: string): CauseCode | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

/** Causes that do not lead to a verdict yet: the same request is repeated later. */
const waitCauses = ['throttled', 'microsoft_unavailable', 'mailbox_moving'] as const satisfies readonly CauseCode[];
export type WaitCause = (typeof waitCauses)[number];

export function isWaitCause(cause: CauseCode): cause is WaitCause {
  return waitCauses.some((one) => one === cause);
}

export function isConnectionCause(cause: CauseCode): boolean {
  return causes[cause].concerns === 'connection';
}
