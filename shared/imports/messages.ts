import { z } from 'zod';
import { causeCodes } from '../causes/causes.ts';
import { type ProbeFinding, probes, tokenGrants, verdicts } from '../causes/verdict.ts';
import type { MailboxIdentity } from '../mailboxes/identity.ts';
import { mailboxKinds } from '../mailboxes/mailbox.ts';
import type { VerdictChange } from '../mailboxes/verdict-history.ts';

// Only Muster writes these messages. They are still validated, so that a message of another version is noticed.

/** Asks for an import to be planned, or for its next checks to be sent. */
export const importMessage = z.object({
  v: z.literal(1),
  customerId: z.string(),
  importId: z.string(),
  /** A guard message: it only has work to do if the holder of this lease has died. */
  guards: z.string().exactOptional(),
  /** W3C Trace Context, for tracing an import across queues. */
  traceparent: z.string().exactOptional(),
});
export type ImportMessage = z.infer<typeof importMessage>;

const probeFinding = z.object({
  verdict: z.enum(verdicts),
  checkedAt: z.coerce.date(),
  cause: z.enum(causeCodes).exactOptional(),
  detail: z.string().exactOptional(),
  microsoftCode: z.string().exactOptional(),
  requestId: z.string().exactOptional(),
  sentAt: z.coerce.date().exactOptional(),
  denial: z.object({ byPolicy: z.boolean(), token: z.enum(tokenGrants), mailboxOpened: z.boolean() }).exactOptional(),
}) satisfies z.ZodType<ProbeFinding>;

const verdictChange = z.object({
  changedAt: z.coerce.date(),
  verdict: z.enum(['passed', 'failed', 'inconclusive']),
  cause: z.enum(causeCodes).exactOptional(),
}) satisfies z.ZodType<VerdictChange>;

const identity = z.object({
  objectId: z.string().exactOptional(),
  inboxKey: z.string().exactOptional(),
  primaryAddress: z.string().exactOptional(),
  signInName: z.string().exactOptional(),
}) satisfies z.ZodType<MailboxIdentity>;

/** One mailbox to check. Carries everything the worker needs, so that a check reads no table. */
export const checkMessage = z.object({
  v: z.literal(2),
  customerId: z.string(),
  connectionId: z.string(),
  importId: z.string(),
  line: z.int(),
  address: z.string(),
  /** The row's tag when this message was sent. Settling the row is conditional on it. */
  rowTag: z.string(),
  /** The row's attempt: how many times it has waited before. */
  attempt: z.int(),
  /** The import's epoch when this message was sent. */
  epoch: z.int(),
  /** The generation of the tenant's pace when this message was sent. */
  generation: z.int().default(0),
  sentAt: z.coerce.date().exactOptional(),
  /** The tenant's pace is known, and this mailbox is not to be asked earlier. At most some seconds after `sentAt`. */
  askAt: z.coerce.date().exactOptional(),
  /** How many checks of this row Microsoft left without an answer. */
  tries: z.int(),
  /** An earlier check of the row has ended and may have left something in the mailbox. */
  mayHaveLeftovers: z.literal(true).exactOptional(),
  /** Sent again because the row's message seemed to be lost. Two checks of the row may run at the same time. */
  isResent: z.literal(true).exactOptional(),
  /** Sent to find something out: whether the tenant answers again, or whether other mailboxes pass. */
  isProbe: z.literal(true).exactOptional(),
  /** The tenant refuses some requests at any pace, so one refusal says nothing about the next request. */
  expectsRefusals: z.literal(true).exactOptional(),
  /** A cleanup message: checks nothing, only removes what earlier tries may have left. */
  cleanupOnly: z.literal(true).exactOptional(),
  /** This mailbox is asked first after a quiet period. The others wait for its result. */
  canary: z.literal(true).exactOptional(),
  /** Until then nobody is asked, because grants may be propagating. Newer than what the worker may have cached. */
  quietUntil: z.coerce.date().exactOptional(),
  /** When Microsoft first asked us to wait or did not answer. The time limit for giving up counts from here. */
  firstDeferredAt: z.coerce.date().exactOptional(),
  /** Findings of earlier checks. These probes are not asked again. */
  priorFindings: z.partialRecord(z.enum(probes), probeFinding).exactOptional(),
  /** The kind of mailbox, if every question has its answer and only the cleanup is missing. */
  priorKind: z.enum(mailboxKinds).exactOptional(),
  /** Which mailbox earlier checks of this row have reached. */
  priorIdentity: identity.exactOptional(),
  /** Which mailbox the address reached before this import. */
  knownAs: identity.exactOptional(),
  /** The mailbox keeps its status until there is a verdict. */
  keepsStatus: z.literal(true).exactOptional(),
  /** The last changes of the mailbox's verdict, newest first. */
  historyBefore: z.array(verdictChange).exactOptional(),
  /** W3C Trace Context, for tracing a row across queues. */
  traceparent: z.string().exactOptional(),
});
export type CheckMessage = z.infer<typeof checkMessage>;
