import type { Answer, MailboxAccess } from '../answer.ts';

/** Microsoft's answers to calls that need a right and have no effect. */
export interface EffectlessAnswers {
  /** Reads the ID of the inbox, and nothing that is in it. */
  read: Answer;
  /** Changes a message that does not exist. */
  write: Answer;
  /** Sends a draft that does not exist. */
  send: Answer;
}

/**
 * Asks about the rights at a mailbox that should be off limits. Nothing is read of what is in it, and nothing is written.
 *
 * A refusal or a missing answer is a result, not a rejection.
 */
export interface OffLimitsMail {
  /** All three in one request. None of them can have an effect, whatever Microsoft answers. */
  ask(mailbox: MailboxAccess): Promise<EffectlessAnswers>;
  /**
   * Sends a message without recipients, as somebody who wants to misuse the right would send one with recipients.
   * Microsoft delivers nothing. It is not excluded that Exchange keeps the message as a draft if the app may send.
   */
  sendToNobody(mailbox: MailboxAccess, subject: string): Promise<Answer>;
}
