import type { Refusal } from '../causes/refusal.ts';
import type { Secret } from '../kernel/secret.ts';
import type { Connection } from './connection.ts';

/** Whose service a token is for: Graph, or Exchange Online's IMAP and SMTP. */
export type Audience = 'graph' | 'exchange';

export interface AppToken {
  token: Secret;
  expiresAt: Date;
  /** What the token shows, read without validation: hints for an explanation, never grounds for a verdict. */
  shows: { tenantId?: string; audience?: string; roles: string[]; appId?: string };
}

export type TokenAnswer = { granted: true; value: AppToken } | { granted: false; refusal: Refusal };

/**
 * Tokens of the customers' tenants, by client credentials.
 *
 * One token request per connection, audience, process and hour however many ask at once, and one vault read per
 * connection and secret version. Rejects with `microsoft_throttled`, `microsoft_unavailable` or `vault_unavailable`
 * when waiting helps; a refusal of Microsoft's is an answer, not an error.
 */
export interface Tokens {
  get(connection: Connection, audience: Audience): Promise<TokenAnswer>;
  /** Asks Microsoft with a secret that is not stored yet, and remembers nothing. */
  tryOut(connection: Connection, clientSecret: Secret, audience: Audience): Promise<TokenAnswer>;
  /**
   * Forgets what is cached for a connection, so that the next `get` asks the vault and Microsoft anew; with an instant
   * only the tokens that were asked for before it, because a token shows no grants that are newer than itself.
   */
  forget(connectionId: string, askedBefore?: Date): void;
}
