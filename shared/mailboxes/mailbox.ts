import type { Findings } from '../causes/verdict.ts';
import type { MailboxKind } from '../checks/mailbox-checker.ts';

export type MailboxStatus = 'pending' | 'active' | 'failed' | 'inconclusive' | 'waiting' | 'paused' | 'disconnected';

/** One address we look after. */
export interface Mailbox {
  /** Normalised, the identity within its connection. */
  address: string;
  displayName?: string;
  dailyLimit?: number;
  /** The customer's own id for it. */
  reference?: string;
  kind: MailboxKind;
  status: MailboxStatus;
  checks: Findings;
  nextCheckAt?: Date;
  /** The import that last worked on it. */
  importId: string;
  /** The import and line that is being worked on: `imp_…:12`. At most one at a time. */
  open?: string;
  /** Whether it holds a slot, and which import's claim that came from. */
  slotClaimedBy?: string;
  /** A slot that is being given back; done once by whoever finds it. */
  release?: string;
  createdAt: Date;
}
