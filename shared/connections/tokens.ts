import type { Refusal } from '../causes/refusal.ts';
import { isGraphProbe, type Probe } from '../causes/verdict.ts';
import type { Secret } from '../kernel/secret.ts';
import type { Connection } from './connection.ts';
import type { Credential } from './credentials/credential.ts';

/** The service a token is for: Graph, or Exchange Online's IMAP and SMTP. */
export const audiences = ['graph', 'exchange'] as const;
export type Audience = (typeof audiences)[number];

/** The services that these probes need a token for. Each needs a token of its own. */
export function audiencesOf(probes: readonly Probe[]): Audience[] {
  return [
    ...(probes.some(isGraphProbe) ? ['graph' as const] : []),
    ...(probes.every(isGraphProbe) ? [] : ['exchange' as const]),
  ];
}

/** The probes that use a token for this audience. */
export function probesOf(probes: readonly Probe[], audience: Audience): Probe[] {
  return probes.filter((probe) => isGraphProbe(probe) === (audience === 'graph'));
}

export interface AppToken {
  token: Secret;
  expiresAt: Date;
  /** The token's claims, read without validation. They help to explain a refusal and never decide a verdict. */
  claims: { tenantId?: string; audience?: string; roles: string[]; appId?: string; objectId?: string };
}

export type TokenAnswer = { granted: true; value: AppToken } | { granted: false; refusal: Refusal };

/** A credential that is not in use yet. */
export interface Candidate {
  credential: Credential;
  /** The Value, or the uploaded certificate with its key, as PEM. Absent if the key was made in the vault. */
  secret?: Secret;
}

/**
 * Tokens for the customers' tenants, by client credentials.
 *
 * In one process, all concurrent callers share one token request per connection and audience, and a token is reused
 * until shortly before it expires. A secret stays in memory for minutes only, so the vault is asked about once for each
 * connection and hour.
 *
 * A refusal by Microsoft is an answer, not an error. Rejects with `microsoft_throttled`, `microsoft_unavailable` or
 * `vault_unavailable` if a retry may help.
 */
export interface Tokens {
  get(connection: Connection, audience: Audience): Promise<TokenAnswer>;
  /** Asks Microsoft with a credential that is not in use yet. Caches nothing. */
  tryOut(connection: Connection, candidate: Candidate, audience: Audience): Promise<TokenAnswer>;
  /**
   * Clears the cache of a connection, so that the next `get` asks the vault and Microsoft again.
   *
   * @param askedBefore clears only the tokens that were requested before this instant: a token never carries grants
   * that are newer than itself
   */
  forget(connectionId: string, askedBefore?: Date): void;
}
