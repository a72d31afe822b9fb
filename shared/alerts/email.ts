/** A message for people. */
export interface Email {
  subject: string;
  text: string;
  html: string;
}

/** How an attempt to send has ended. */
export interface EmailResult {
  result: 'succeeded' | 'refused' | 'unreachable';
  detail?: string;
}

/** One way to send e-mail. Every failure is a result, not an error. */
export interface EmailSender {
  /** @param id makes the Message-ID, so that a repeated message can be recognized */
  send(to: readonly string[], email: Email, id: string): Promise<EmailResult>;
}
