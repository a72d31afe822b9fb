import type { Refusal } from '../causes/refusal.ts';
import type { Cloud } from '../connections/connection.ts';
import type { Secret } from '../kernel/secret.ts';

/** What came of one question to Graph. */
export type Answer<T = undefined> =
  | { kind: 'accepted'; value: T; requestId?: string }
  | { kind: 'refused'; refusal: Refusal }
  /** No answer, or none that can be read: what was asked for may have been done or not. */
  | { kind: 'lost'; requestId?: string };

/** One mailbox as one token reaches it. */
export interface MailboxAccess {
  cloud: Cloud;
  token: Secret;
  address: string;
}
