import type { CauseCode } from '../causes/causes.ts';
import type { ConnectionFinding, Findings } from '../causes/verdict.ts';
import type { Connection } from '../connections/connection.ts';
import type { MailboxKind } from '../mailboxes/mailbox.ts';

export interface CheckInput {
  connection: Connection;
  address: string;
  /** Made of import and line: names whatever a try leaves behind, so that a later try can find and remove it. */
  draftSubject: string;
  /** What earlier attempts have already shown; those probes are not asked again. */
  priorFindings: Findings;
  /** An earlier try may have left something: look for the draft subject and remove it before and after. */
  cleanFirst: boolean;
  /** How many tries there were before this one. */
  tries?: number;
}

export type CheckOutcome =
  /** Every probe of the connection has its finding. */
  | { kind: 'checked'; findings: Findings; mailboxKind: MailboxKind }
  /** Microsoft asked us to wait, or was away. `seconds` is absent when Microsoft named no time. */
  | {
      kind: 'wait';
      cause: CauseCode;
      seconds?: number;
      priorFindings: Findings;
      requestId?: string;
      microsoftCode?: string;
      /** Other questions of the same attempt were answered: Microsoft is there, and does not refuse the tenant as a whole. */
      answered?: true;
    }
  /** A refusal that would hit every mailbox: nothing is said about this one. */
  | { kind: 'connectionRefused'; finding: ConnectionFinding };

/**
 * Asks Microsoft about one mailbox by real calls.
 *
 * Rejects with weather (`vault_unavailable`, …) only for parts of our own; what Microsoft says, and its silence, is an
 * outcome. On every path it removes what it put into the mailbox; where that could not be done it says `wait`.
 */
export interface MailboxChecker {
  check(input: CheckInput): Promise<CheckOutcome>;
  /** Removes what a try with this draft subject may have left. A mailbox that is gone or refuses has nothing of ours: success. */
  removeLeftovers(connection: Connection, address: string, draftSubject: string): Promise<void>;
}
