import type { Answer, MailboxAccess } from './graph-answer.ts';

/**
 * A mailbox through the older protocols, signed in to with XOAUTH2 and a token for Exchange Online.
 *
 * Each call opens one connection and ends it. Never rejects for what the server says or fails to say, and never repeats
 * by itself; nothing is changed in the mailbox and nothing is sent.
 */
export interface ProtocolMail {
  /** `AUTHENTICATE`, then `EXAMINE INBOX`: a sign-in alone opens no mailbox and is no pass. */
  imap(mailbox: MailboxAccess): Promise<Answer>;
  /** `STARTTLS`, `AUTH`, `MAIL FROM` with the mailbox's own address, `RSET`: no recipient and no data. */
  smtp(mailbox: MailboxAccess): Promise<Answer>;
}
