import type { Refusal } from '../causes/refusal.ts';
import type { Cloud } from '../connections/connection.ts';
import type { Secret } from '../kernel/secret.ts';

/** Microsoft's answer to one question. */
export type Answer<T = undefined> =
  | { kind: 'accepted'; value: T; requestId?: string }
  | { kind: 'refused'; refusal: Refusal }
  /** No answer, or an unreadable one. Microsoft may have done what we asked, or not. */
  | { kind: 'lost'; requestId?: string };

/** A mailbox and the token to reach it with. */
export interface MailboxAccess {
  cloud: Cloud;
  token: Secret;
  address: string;
}
