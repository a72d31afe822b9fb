import type { CauseCode } from '../../causes/causes.ts';
import type { Findings, Probe, Verdict } from '../../causes/verdict.ts';
import type { MailboxIdentity } from '../../mailboxes/identity.ts';
import type { Mailbox, MailboxKind } from '../../mailboxes/mailbox.ts';
import type { VerdictChange } from '../../mailboxes/verdict-history.ts';

/** Every state of a row. `pending` and `waiting` are open; the last four are final. */
export const rowStates = [
  'rejected',
  'duplicate',
  'pending',
  'waiting',
  'passed',
  'failed',
  'inconclusive',
  'cancelled',
] as const;
export type RowState = (typeof rowStates)[number];

/** The states in which an accepted row ends. */
export const settledStates = ['passed', 'failed', 'inconclusive', 'cancelled'] as const satisfies RowState[];
export type SettledState = (typeof settledStates)[number];

/** The states of a row that still needs a verdict. */
export const openStates = ['pending', 'waiting'] as const satisfies RowState[];

/** The states of a row that was neither rejected nor a duplicate. */
export const acceptedStates = [...openStates, ...settledStates] as const;

/** One line of an import and its result. */
export interface Row {
  importId: string;
  line: number;
  /** Normalized. For a rejected row: as it was sent, cut to 320 characters. */
  address: string;
  displayName?: string;
  dailyLimit?: number;
  /** The daily limit of a rejected row, as it was sent. It may be anything. */
  dailyLimitAsSent?: string;
  reference?: string;
  /** The import claimed a slot for this row, because its mailbox held none. */
  takesSlot?: boolean;
  state: RowState;
  /** Why it was `rejected` or `duplicate`: a code and a sentence. */
  code?: string;
  message?: string;
  /** Of a duplicate in the file: the line that has the same address and counts. */
  firstLine?: number;
  /** An address that may be meant. */
  suggestion?: string;
  cause?: CauseCode;
  /** A sentence about this mailbox; absent if the sentence of the cause says enough. */
  detail?: string;
  /** Microsoft's error code and request ID, of the probe that decided. */
  microsoftCode?: string;
  requestId?: string;
  /** When that probe was answered. */
  checkedAt?: Date;
  /** The verdict of each probe. The mailbox has the findings, but a later import may change them. */
  verdicts?: Partial<Record<Probe, Verdict>>;
  /** How many times the row has gone to `waiting`. Tells its newest message from older ones. */
  attempt: number;
  /** How many of its checks Microsoft left without an answer. The next wait grows with it. */
  tries?: number;
  /** A check has ended and something of it may still be in the mailbox. */
  mayHaveLeftovers?: boolean;
  /** When it was refused in a way that may concern every mailbox. It has no verdict until that is known. */
  heldAt?: Date;
  /** The import's epoch at that time. A refusal from before a resume is asked again. */
  heldEpoch?: number;
  /** When Microsoft first asked us to wait or did not answer. The time limit for giving up counts from here. */
  firstDeferredAt?: Date;
  nextCheckAt?: Date;
  /** When it was last sent after a wait. A row that has not waited was sent with its batch. */
  sentAt?: Date;
  /** Findings of earlier attempts, kept while the row waits. */
  priorFindings?: Findings;
  /** The kind of mailbox, if every question has its answer and only the cleanup is missing. */
  priorKind?: MailboxKind;
  /** Which mailbox earlier attempts have reached, kept while the row waits. */
  priorIdentity?: MailboxIdentity;
  /** Which mailbox the address reached when the connection last checked it, before this import. */
  knownAs?: MailboxIdentity;
  /** Of a row that an action opened: what the mailbox was before. */
  statusBefore?: Mailbox['status'];
  /** The mailbox's history when this row was opened. Nobody else changes it while the row is open. */
  historyBefore?: readonly VerdictChange[];
}

export function isSettled(state: RowState): state is SettledState {
  return (settledStates as readonly RowState[]).includes(state);
}

/** The value of a mailbox's `openRow` while this row is open: `imp_…:12`. */
export function openRowOf(row: { importId: string; line: number }): string {
  return `${row.importId}:${row.line}`;
}

/** What an `openRow` names. */
export function splitOpenRow(openRow: string | undefined): { importId: string; line: number } | undefined {
  if (openRow === undefined) return undefined;
  const at = openRow.lastIndexOf(':');
  return { importId: openRow.slice(0, at), line: Number(openRow.slice(at + 1)) };
}

/**
 * Whether the mailbox keeps its status until this row has a verdict. A mailbox that works is checked again while it is
 * in use, and only a verdict changes that.
 */
export function keepsStatus({ statusBefore }: Pick<Row, 'statusBefore'>): boolean {
  return statusBefore === 'active' || statusBefore === 'inconclusive';
}

/** What a tally counts when this row leaves its state. */
export function countsOfLeaving(row: Row): { waiting?: number; held?: number } {
  if (row.state !== 'waiting') return {};
  return { waiting: -1, ...(row.heldAt && { held: -1 }) };
}
