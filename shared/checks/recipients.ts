import type { Answer, MailboxAccess } from './graph-answer.ts';

/** What an address is in the tenant's directory. */
export type Recipient =
  | { kind: 'user'; primaryAddress?: string }
  | { kind: 'guest' }
  | { kind: 'group' }
  | { kind: 'contact' }
  /** Nothing that the app may see has this address. */
  | { kind: 'nothing' };

/** The tenant's directory; `refused` where the app may not read it. Never rejects for what Microsoft says. */
export interface Recipients {
  lookUp(mailbox: MailboxAccess): Promise<Answer<Recipient>>;
}
