import type { Answer, MailboxAccess } from './answer.ts';

/** What an address is in the tenant's directory. */
export type Recipient =
  | { kind: 'user'; primaryAddress?: string }
  | { kind: 'guest' }
  | { kind: 'group' }
  | { kind: 'contact' }
  /** Nothing that the app is allowed to read has this address. */
  | { kind: 'nothing' };

/** The tenant's directory. The answer is `refused` if the app is not allowed to read it. A refusal never rejects. */
export interface Recipients {
  lookUp(mailbox: MailboxAccess): Promise<Answer<Recipient>>;
}
