import type { CauseCode } from '../causes/causes.ts';
import type { Findings } from '../causes/verdict.ts';
import type { MailboxIdentity } from './identity.ts';
import type { VerdictChange } from './verdict-history.ts';

export const mailboxStatuses = [
  'pending',
  'active',
  'failed',
  'inconclusive',
  'waiting',
  'paused',
  'disconnected',
] as const;
export type MailboxStatus = (typeof mailboxStatuses)[number];

/** What Microsoft says the mailbox is for; `unknown` if the app lacks the permission to read it. */
export const mailboxKinds = ['user', 'shared', 'room', 'equipment', 'unknown'] as const;
export type MailboxKind = (typeof mailboxKinds)[number];

/** One address that a connection looks after. */
export interface Mailbox {
  /** Normalized. Identifies the mailbox within its connection. */
  address: string;
  displayName?: string;
  dailyLimit?: number;
  /** The customer's own ID for the mailbox. */
  reference?: string;
  kind: MailboxKind;
  /** Which mailbox the address reached when it was last checked. */
  identity?: MailboxIdentity;
  /** When a check found that the address reaches another mailbox than before. */
  replacedAt?: Date;
  /** What its checks have shown. Customers see `statusOf`. */
  status: Exclude<MailboxStatus, 'paused'>;
  /** The customer has paused it. Says nothing about a mailbox that has failed or is disconnected. */
  pausedAt?: Date;
  checks: Findings;
  /** Its last check, also if that left everything as it was. */
  lastCheck?: { checkedAt: Date; verdict: 'passed' | 'failed' | 'inconclusive' };
  /** The last changes of its verdict, newest first. */
  history?: readonly VerdictChange[];
  nextCheckAt?: Date;
  /** Why its open row waits. Absent if Microsoft has not said. */
  waitCause?: CauseCode;
  /** The import or action that last opened a row for this mailbox. */
  importId: string;
  /** The line of that row. */
  line: number;
  /** The import that last contained it, if `importId` is an action. */
  listedIn?: string;
  /** The open row of this mailbox: `imp_…:12`. At most one at a time. */
  openRow?: string;
  /** Set while it holds a slot: the import whose claim the slot came from. */
  slotClaimedBy?: string;
  /** The action that has removed it. It is about to be deleted, and nobody sees it any more. */
  removedBy?: string;
  createdAt: Date;
}

/** A mailbox in one of these states is already looked after. A mailbox in any other state can be imported again. */
const LOOKED_AFTER: ReadonlySet<MailboxStatus> = new Set(['pending', 'waiting', 'active', 'paused']);
/** A mailbox in any other state is not in use, whether it was paused or not. */
const PAUSABLE: ReadonlySet<MailboxStatus> = new Set(['pending', 'waiting', 'active', 'inconclusive']);

/** The status that customers see. */
export function statusOf({ status, pausedAt }: Pick<Mailbox, 'status' | 'pausedAt'>): MailboxStatus {
  return pausedAt && PAUSABLE.has(status) ? 'paused' : status;
}

/** Whether an address is taken in its connection: another row with this address is a duplicate. */
export function isTaken(mailbox: Pick<Mailbox, 'status' | 'pausedAt' | 'openRow'> | undefined): boolean {
  return mailbox !== undefined && (mailbox.openRow !== undefined || LOOKED_AFTER.has(statusOf(mailbox)));
}
