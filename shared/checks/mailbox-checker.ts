import type { CauseCode } from '../causes/causes.ts';
import type { ConnectionFinding, Findings } from '../causes/verdict.ts';
import type { Connection } from '../connections/connection.ts';
import type { MailboxIdentity } from '../mailboxes/identity.ts';
import type { MailboxKind } from '../mailboxes/mailbox.ts';
import type { AnswerCounts } from './count-answers.ts';

export interface CheckInput {
  connection: Connection;
  address: string;
  /**
   * The subject of everything that a try writes, made of import and line, so that a later try can find and remove it.
   */
  draftSubject: string;
  /** What earlier tries have found. Those probes are not repeated. */
  priorFindings: Findings;
  /** Whether an earlier try may have left something. If so, the check removes it, at the latest at its end. */
  cleanFirst: boolean;
  /**
   * The kind of mailbox that an earlier try has seen. With a finding for every probe, only the cleanup is left to do.
   */
  priorKind?: MailboxKind;
  /** Which mailbox earlier tries have reached. */
  priorIdentity?: MailboxIdentity;
  /** Which mailbox the address reached when it was last checked. It may have another name today. */
  knownAs?: MailboxIdentity;
  /** The number of tries before this one. */
  tries?: number;
}

export type CheckOutcome =
  /** Every probe of the connection has its finding. */
  | {
      kind: 'checked';
      findings: Findings;
      mailboxKind: MailboxKind;
      identity?: MailboxIdentity;
      /** The address that was asked. Another one than the record's if the mailbox was renamed. */
      askedAs?: string;
    }
  /** Microsoft asked us to wait, or was unavailable. `seconds` is absent if Microsoft named no time. */
  | {
      kind: 'wait';
      cause: CauseCode;
      seconds?: number;
      priorFindings: Findings;
      requestId?: string;
      microsoftCode?: string;
      /** Something of ours may be in the mailbox. The next try has to remove it. */
      mayHaveLeftovers?: true;
      /** Every question of Graph has its answer, and this is the kind of mailbox. Only the cleanup had to wait. */
      priorKind?: MailboxKind;
      /** Which mailbox the tries have reached so far. */
      identity?: MailboxIdentity;
    }
  /** A refusal that applies to every mailbox of the connection. It says nothing about this one. */
  | { kind: 'connectionRefused'; finding: ConnectionFinding };

/** The outcome of a check, and how Microsoft answered its questions. */
export type CheckResult = CheckOutcome & { counts: AnswerCounts };

/**
 * Checks one mailbox with real requests to Microsoft.
 *
 * A refusal or a missing answer from Microsoft is an outcome. `check` rejects only if one of our own services fails
 * (`vault_unavailable`, …). It removes what it has written to the mailbox. If that fails, the outcome is `wait` or
 * `connectionRefused`, and the next try has to clean up first.
 */
export interface MailboxChecker {
  check(input: CheckInput): Promise<CheckResult>;
  /**
   * Removes what a try with this draft subject may have left. Succeeds for a mailbox that is gone or refuses us,
   * because nothing of ours can be reached there.
   *
   * @throws DomainError `microsoft_throttled`, `microsoft_unavailable`
   */
  removeLeftovers(connection: Connection, address: string, draftSubject: string): Promise<void>;
}
