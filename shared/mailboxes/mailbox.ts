import type { Findings } from '../causes/verdict.ts';
import type { MailboxIdentity } from './identity.ts';

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
  status: MailboxStatus;
  checks: Findings;
  nextCheckAt?: Date;
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
  createdAt: Date;
}

/** A mailbox in one of these states is already looked after. A mailbox in any other state can be imported again. */
const LOOKED_AFTER: ReadonlySet<MailboxStatus> = new Set(['pending', 'waiting', 'active', 'paused']);

/** Whether an address is taken in its connection: another row with this address is a duplicate. */
export function isTaken(mailbox: Pick<Mailbox, 'status' | 'openRow'> | undefined): boolean {
  return mailbox !== undefined && (mailbox.openRow !== undefined || LOOKED_AFTER.has(mailbox.status));
}
