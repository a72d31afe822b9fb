import type { MailboxKind } from '../mailboxes/mailbox.ts';
import type { Answer, MailboxAccess } from './answer.ts';
import type { Recipient, UsersRead } from './recipients.ts';

export interface Questions {
  /** Writes a draft that has the draft subject and no recipients. */
  draft: boolean;
  /**
   * Sends the same message. `toNobody`: without recipients, so nothing is delivered; Microsoft reports the missing
   * recipients only to an app that may send. `toItself`: to the mailbox's own address, if the customer has chosen that.
   */
  send?: 'toNobody' | 'toItself' | undefined;
  /** Asks what kind of mailbox it is. Needs a permission of its own. */
  kind: boolean;
  /** Asks whose address it is in the directory. Needs a permission of its own. */
  owner?: UsersRead | undefined;
}

export interface Answers {
  /** The ID of the inbox. It is the same under every name of the mailbox. */
  inbox: Answer<string>;
  /** The ID of the draft. It stays the same when the draft is moved. */
  draft?: Answer<string>;
  send?: Answer;
  mailboxKind?: Answer<MailboxKind>;
  owner?: Answer<Recipient>;
}

/** An item that a check left in the mailbox: an unsent draft, a message that arrived, or a non-delivery report. */
export interface Leftover {
  id: string;
  what: 'draft' | 'message' | 'report';
}

/** Where to look for items with a draft subject. Items that were never sent are among the drafts. */
export type SearchScope = 'drafts' | 'everywhere';

/**
 * A mailbox through Microsoft Graph, one HTTP request per call.
 *
 * A refusal or a missing answer is a result, not a rejection. A call never repeats a request on its own. The caller
 * decides whether and when to repeat, so that requests can be counted and `Retry-After` is obeyed.
 */
export interface GraphMail {
  ask(mailbox: MailboxAccess, draftSubject: string, questions: Questions): Promise<Answers>;
  /** Deletes the items permanently, and in the same request looks for more items with the draft subject. */
  clear(
    mailbox: MailboxAccess,
    draftSubject: string,
    ids: readonly string[],
    scope: SearchScope,
  ): Promise<{ removals: Answer[]; found: Answer<Leftover[]> }>;
}
