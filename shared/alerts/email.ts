/** A message for people. */
export interface Email {
  subject: string;
  text: string;
  html: string;
}

/** The customer's own mailbox, or the mail server of the deployment. */
export const emailWays = ['ownMailbox', 'mailServer'] as const;
export type EmailWay = (typeof emailWays)[number];

/** How an attempt to send has ended. */
export interface EmailResult {
  result: 'succeeded' | 'refused' | 'unreachable';
  /** What failed, also if another way, or another recipient, has succeeded. */
  detail?: string;
}

/** One way to send e-mail. Every failure is a result, not an error. */
export interface EmailSender {
  /** @param id makes the Message-ID, so that a repeated message can be recognized */
  send(to: readonly string[], email: Email, id: string): Promise<EmailResult>;
}
