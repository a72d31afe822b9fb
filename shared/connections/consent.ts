import { createHash, randomBytes } from 'node:crypto';
import type { ConnectionFinding } from '../causes/verdict.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { changeConnection } from './change-connection.ts';
import type { Cloud, Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import { type ConsentCallback, type Decline, declineCauses, readConsentAnswer } from './consent-answer.ts';
import type { ConsentStore } from './consent-store.ts';
import { requireConnection } from './require-connection.ts';
import type { Tokens } from './tokens.ts';

interface Deps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  consents: ConsentStore;
  tokens: Pick<Tokens, 'forget'>;
  consentEndpoints: (cloud: Cloud) => { loginUrl: string; graphResource: string };
  publicUrl: string;
  consentLinkValidMs: number;
  clock: Clock;
}

const hashOf = (state: string) => createHash('sha256').update(state).digest('hex');

/** Where Microsoft sends an admin after the consent dialog, at our public address. */
export const CALLBACK_PATH = '/v1/consent/callback';

/**
 * Creates a link on which an admin of the tenant grants the app its permissions. The link carries a state that belongs
 * to this connection, works once and expires after `consentLinkValidMs`.
 * https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
 *
 * @throws DomainError `not_found`
 */
export async function requestConsent(
  deps: Deps,
  actor: CustomerActor,
  connectionId: string,
): Promise<{ url: string; expiresAt: Date }> {
  const connection = await requireConnection(deps, actor, connectionId);
  const state = randomBytes(32).toString('base64url');
  const expiresAt = new Date(deps.clock.now().getTime() + deps.consentLinkValidMs);
  await deps.consents.insert({ stateHash: hashOf(state), customerId: actor.customerId, connectionId, expiresAt });
  const { loginUrl, graphResource } = deps.consentEndpoints(connection.cloud);
  const url = new URL(`${loginUrl.replace(/\/$/, '')}/${connection.tenantId}/v2.0/adminconsent`);
  url.search = new URLSearchParams({
    client_id: connection.clientId,
    scope: `${graphResource}/.default`,
    redirect_uri: `${deps.publicUrl}${CALLBACK_PATH}`,
    state,
  }).toString();
  return { url: url.toString(), expiresAt };
}

export type ConsentOutcome =
  | { kind: 'consented'; connection: Connection }
  /** Without a connection if Microsoft left the state out. Then nothing changes. */
  | ({ kind: 'declined'; connection?: Connection } & Decline)
  | { kind: 'wrongTenant'; connection: Connection }
  /** Microsoft was unavailable. The link still works. */
  | { kind: 'unfinished'; microsoftCode?: string }
  /** The answer does not say what was decided. The link still works. */
  | { kind: 'incomplete' }
  | { kind: 'used' }
  | { kind: 'expired' }
  /** The state is missing or unknown, or its connection was deleted. */
  | { kind: 'unknown' };

/**
 * Records a consent callback. Anyone can call it, so it proves nothing: it only marks the connection that its state
 * belongs to. A connection test must still show that a token carries the permissions.
 *
 * Only a complete answer uses the link up: consented, declined, or given in the wrong tenant. Someone who opens the
 * callback with the state alone leaves the link as it is.
 */
export async function receiveConsent(deps: Deps, callback: ConsentCallback): Promise<ConsentOutcome> {
  if (!callback.state) {
    // Microsoft does not promise to send the state back when somebody cancels.
    const answer = readConsentAnswer(callback);
    return answer.kind === 'declined' ? answer : { kind: 'unknown' };
  }
  const now = deps.clock.now();
  const request = await deps.consents.get(hashOf(callback.state));
  if (!request) return { kind: 'unknown' };
  if (request.usedAt) return { kind: 'used' };
  if (request.expiresAt <= now) return { kind: 'expired' };
  const answer = readConsentAnswer(callback);
  if (answer.kind === 'incomplete' || answer.kind === 'unfinished') return answer;
  const found = await deps.connections.get(request.customerId, request.connectionId);
  if (!found) return { kind: 'unknown' };
  if (!(await deps.consents.use(request.stateHash, now))) return { kind: 'used' };
  const connection = found.value;
  if (answer.kind === 'declined') {
    await markDeclined(deps, connection, answer, now);
    return { ...answer, connection };
  }
  if (answer.tenantId !== connection.tenantId) return { kind: 'wrongTenant', connection };
  await markConsented(deps, connection, now);
  return { kind: 'consented', connection };
}

/** Stored with the connection, because the person who sent the link does not see the page that the admin sees. */
async function markDeclined(
  deps: Deps,
  { customerId, id }: Connection,
  { cause, sentence, microsoftCode }: Decline,
  seenAt: Date,
): Promise<void> {
  const finding: ConnectionFinding = {
    cause,
    detail: sentence,
    seenAt,
    ...(microsoftCode !== undefined && { microsoftCode }),
  };
  await changeConnection(deps.connections, customerId, id, (current) =>
    // A connection that already works keeps working with the consent it has.
    current.status === 'awaitingConsent' ? { ...current, finding } : undefined,
  );
}

async function markConsented(deps: Deps, { customerId, id }: Connection, now: Date): Promise<void> {
  await changeConnection(deps.connections, customerId, id, (current) => {
    const { checksHeldUntil: _held, finding, ...rest } = current;
    // Before the first consent, a finding says no more than that it is missing, or why it was not granted.
    const isAnswered = current.status === 'awaitingConsent' || (finding && declineCauses.has(finding.cause));
    return {
      ...rest,
      ...(finding && !isAnswered && { finding }),
      consentedAt: now,
      grantsChangedAt: now,
    };
  });
  // A cached token carries the permissions from before the consent.
  deps.tokens.forget(id);
}
