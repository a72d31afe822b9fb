import type { Answer, MailboxAccess } from './answer.ts';

/**
 * A mailbox through IMAP and SMTP. Signs in with XOAUTH2 and a token for Exchange Online.
 *
 * Each call opens one connection and closes it. It changes nothing in the mailbox, sends nothing, and never repeats a
 * request on its own. A refusal or a missing answer is a result, not a rejection.
 */
export interface ProtocolMail {
  /** `AUTHENTICATE`, then `EXAMINE INBOX`. A sign-in alone is not a pass, because it does not open the mailbox. */
  imap(mailbox: MailboxAccess): Promise<Answer>;
  /** `STARTTLS`, `AUTH`, `MAIL FROM` with the mailbox's own address, then `RSET`. No recipient, no data. */
  smtp(mailbox: MailboxAccess): Promise<Answer>;
}
