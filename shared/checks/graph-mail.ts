import type { MailboxKind } from '../mailboxes/mailbox.ts';
import type { Answer, MailboxAccess } from './graph-answer.ts';
import type { Recipient } from './recipients.ts';

export interface Questions {
  /** Writes a draft without recipients, its subject the draft subject. */
  draft: boolean;
  /**
   * Sends the same, to nobody: who may send is told that recipients are missing, and nothing leaves. Or, where the
   * customer has asked for it, to the mailbox itself.
   */
  send?: 'toNobody' | 'toItself' | undefined;
  /** What kind of mailbox it is; needs a permission of its own. */
  kind: boolean;
  /** Whose address it is in the directory; needs a permission of its own. */
  owner: boolean;
}

export interface Answers {
  inbox: Answer;
  /** The draft's id, which stays the same when it moves. */
  draft?: Answer<string>;
  send?: Answer;
  mailboxKind?: Answer<MailboxKind>;
  owner?: Answer<Recipient>;
}

/** Something of ours in a mailbox: an unsent draft, a message that came in, or the report that it could not be delivered. */
export interface Left {
  id: string;
  what: 'draft' | 'message' | 'report';
}

/** Where to look for what carries a draft subject. What was never sent lies among the drafts. */
export type Where = 'drafts' | 'everywhere';

/**
 * A mailbox through Microsoft Graph, one HTTP request per call.
 *
 * Never rejects for what Microsoft says or fails to say, and never repeats a request by itself: whether and when to ask
 * again is decided above, so that requests can be counted and waits honoured.
 */
export interface GraphMail {
  ask(mailbox: MailboxAccess, draftSubject: string, questions: Questions): Promise<Answers>;
  /** Removes the items for good, and in the same request looks for what else carries the draft subject. */
  clear(
    mailbox: MailboxAccess,
    draftSubject: string,
    ids: readonly string[],
    where: Where,
  ): Promise<{ removals: Answer[]; found: Answer<Left[]> }>;
}
