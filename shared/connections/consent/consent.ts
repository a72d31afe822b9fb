import type { CustomerActor } from '../../kernel/actor.ts';
import type { Clock } from '../../kernel/clock.ts';
import { type Cloud, type Connection, hasOwnApp } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';
import { requireConnection } from '../require-connection.ts';
import { audiencesOf, type Tokens } from '../tokens.ts';
import { type ConsentCallback, type Decline, readConsentAnswer } from './consent-answer.ts';
import { type EndedLink, endedLink, hashOf, newState } from './consent-state.ts';
import type { ConsentStore } from './consent-store.ts';
import { markConsented, markDeclined } from './mark-consent.ts';
import { beginSignIn, type SignInDeps } from './sign-in.ts';

interface Deps extends SignInDeps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  consents: Pick<ConsentStore, 'insert' | 'get' | 'use'>;
  tokens: Pick<Tokens, 'forget'>;
  consentEndpoints: (cloud: Cloud) => { loginUrl: string; graphResource: string; exchangeResource: string };
  publicUrl: string;
  consentLinkValidMs: number;
  clock: Clock;
}

/** Where Microsoft sends an admin after the consent dialog, at our public address. */
export const CALLBACK_PATH = '/v1/consent/callback';

/**
 * Creates a link on which an admin of the tenant grants the app its permissions. With the vendor's app, it then leads on to
 * the sign-in. The link carries a state that belongs
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
  const { state, expiresAt } = await newState(deps, connection, { step: 'consent' }, deps.consentLinkValidMs);
  const { loginUrl, graphResource, exchangeResource } = deps.consentEndpoints(connection.cloud);
  // Microsoft's page about IMAP and SMTP names Exchange Online here.
  const resource = audiencesOf(connection.probes).includes('graph') ? graphResource : exchangeResource;
  const url = new URL(`${loginUrl.replace(/\/$/, '')}/${connection.tenantId}/v2.0/adminconsent`);
  url.search = new URLSearchParams({
    client_id: connection.clientId,
    scope: `${resource}/.default`,
    redirect_uri: `${deps.publicUrl}${CALLBACK_PATH}`,
    state,
  }).toString();
  return { url: url.toString(), expiresAt };
}

export type ConsentOutcome =
  | { kind: 'consented'; connection: Connection }
  /** The vendor's app: now Microsoft must say who the admin is. */
  | { kind: 'toSignIn'; connection: Connection; url: string }
  /** Without a connection if Microsoft left the state out. Then nothing changes. */
  | ({ kind: 'declined'; connection?: Connection } & Decline)
  | { kind: 'wrongTenant'; connection: Connection }
  /** Microsoft was unavailable. The link still works. */
  | { kind: 'unfinished'; microsoftCode?: string }
  /** The answer does not say what was decided. The link still works. */
  | { kind: 'incomplete' }
  /** Unknown: the state is missing or unknown, or its connection was deleted. */
  | EndedLink;

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
  if (request?.step !== 'consent') return { kind: 'unknown' };
  if (request.usedAt) return endedLink(deps, 'used', request);
  if (request.expiresAt <= now) return endedLink(deps, 'expired', request);
  const answer = readConsentAnswer(callback);
  if (answer.kind === 'incomplete' || answer.kind === 'unfinished') return answer;
  const found = await deps.connections.get(request.customerId, request.connectionId);
  if (!found) return { kind: 'unknown' };
  const connection = found.value;
  const isGranted = answer.kind === 'granted' && answer.tenantId === connection.tenantId;
  // Before the link is used up: if storage fails here, a reload of the page goes on.
  const signInUrl = isGranted && !hasOwnApp(connection) ? await beginSignIn(deps, connection) : undefined;
  if (!(await deps.consents.use(request.stateHash, now))) return endedLink(deps, 'used', request);
  if (answer.kind === 'declined') {
    await markDeclined(deps, connection, answer, now);
    return { ...answer, connection };
  }
  if (!isGranted) return { kind: 'wrongTenant', connection };
  if (signInUrl !== undefined) return { kind: 'toSignIn', connection, url: signInUrl };
  await markConsented(deps, connection, now);
  return { kind: 'consented', connection };
}
