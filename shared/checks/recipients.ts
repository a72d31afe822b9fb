import type { Answer, MailboxAccess } from './answer.ts';

/** What an address is in the tenant's directory. */
export type Recipient =
  | { kind: 'user'; objectId?: string; primaryAddress?: string; signInName?: string }
  | { kind: 'guest' }
  | { kind: 'group' }
  | { kind: 'contact' }
  /** Nothing that the app is allowed to read has this address. `unread`: what it may not read. */
  | { kind: 'nothing'; unread?: readonly ('group' | 'contact')[] };

/** The tenant's directory. The answer is `refused` if the app is not allowed to read it. A refusal never rejects. */
export interface Recipients {
  /**
   * @param read how much of the users the app may read; without it, everything is tried
   * @param objectId of the user who had the address before; found if nothing has the address any more
   */
  lookUp(mailbox: MailboxAccess, read?: UsersRead, objectId?: string): Promise<Answer<Recipient>>;
}

/** How much of the directory's users an app may read: nothing of whom an alias is with `basic`. */
export type UsersRead = 'basic' | 'full';
