import { createHash, randomBytes } from 'node:crypto';
import { causes } from '../causes/causes.ts';
import type { ConnectionFinding } from '../causes/verdict.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Cloud, Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import type { ConsentStore } from './consent-store.ts';
import { requireConnection } from './require-connection.ts';
import type { Tokens } from './tokens.ts';

interface Deps {
  connections: ConnectionStore;
  consents: ConsentStore;
  tokens: Pick<Tokens, 'forget'>;
  consentEndpoints: (cloud: Cloud) => { loginUrl: string; graphResource: string };
  publicUrl: string;
  consentLinkValidMs: number;
  clock: Clock;
}

const hashOf = (state: string) => createHash('sha256').update(state).digest('hex');

export const CALLBACK_PATH = '/v1/consent/callback';

/**
 * Makes a link on which an admin of the tenant gives the app its permissions. It carries a state that works once and
 * soon expires, and that belongs to this connection.
 * https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
 */
export async function requestConsent(
  needs: Deps,
  actor: CustomerActor,
  connectionId: string,
): Promise<{ url: string; expiresAt: Date }> {
  const connection = await requireConnection(needs, actor, connectionId);
  const state = randomBytes(32).toString('base64url');
  const expiresAt = new Date(needs.clock.now().getTime() + needs.consentLinkValidMs);
  await needs.consents.insert({ stateHash: hashOf(state), customerId: actor.customerId, connectionId, expiresAt });
  const { loginUrl, graphResource } = needs.consentEndpoints(connection.cloud);
  const url = new URL(`${loginUrl.replace(/\/$/, '')}/${connection.tenantId}/v2.0/adminconsent`);
  url.search = new URLSearchParams({
    client_id: connection.clientId,
    scope: `${graphResource}/.default`,
    redirect_uri: `${needs.publicUrl}${CALLBACK_PATH}`,
    state,
  }).toString();
  return { url: url.toString(), expiresAt };
}

/** What the browser of the admin brought back; every field may be missing or made up. */
export interface ConsentCallback {
  state?: string | undefined;
  tenant?: string | undefined;
  error?: string | undefined;
  errorDescription?: string | undefined;
  errorSubcode?: string | undefined;
  adminConsent?: string | undefined;
}

export type ConsentOutcome =
  | { kind: 'consented'; connection: Connection }
  | { kind: 'declined'; connection: Connection; why: 'cancelled' | 'refused'; microsoftCode?: string }
  | { kind: 'wrongTenant'; connection: Connection }
  /** No state of ours, or one that is unknown, used or too old: nothing is changed and nothing is told. */
  | { kind: 'unknown' };

/**
 * Takes note of a consent callback. A hint, never a proof: anybody can call it, so it only ever marks the connection
 * whose state it carries, and a test must still show that a token carries the permissions.
 */
export async function receiveConsent(needs: Deps, callback: ConsentCallback): Promise<ConsentOutcome> {
  if (!callback.state) return { kind: 'unknown' };
  const now = needs.clock.now();
  const request = await needs.consents.get(hashOf(callback.state));
  if (!request || request.usedAt || request.expiresAt <= now) return { kind: 'unknown' };
  const found = await needs.connections.get(request.customerId, request.connectionId);
  if (!found || !(await needs.consents.use(request.stateHash, now))) return { kind: 'unknown' };
  const connection = found.value;
  // Microsoft sets admin_consent=True on errors as well: the error is what counts.
  if (callback.error !== undefined) {
    const isCancel =
      callback.errorSubcode === 'cancel' || /canceled|AADSTS65004/i.test(callback.errorDescription ?? '');
    const microsoftCode = /AADSTS\d+/.exec(callback.errorDescription ?? '')?.[0];
    await markDeclined(needs, connection, now, microsoftCode);
    return {
      kind: 'declined',
      connection,
      why: isCancel ? 'cancelled' : 'refused',
      ...(microsoftCode !== undefined && { microsoftCode }),
    };
  }
  if (callback.adminConsent?.toLowerCase() !== 'true') return { kind: 'unknown' };
  if (callback.tenant?.toLowerCase() !== connection.tenantId) return { kind: 'wrongTenant', connection };
  await markConsented(needs, connection, now);
  return { kind: 'consented', connection };
}

/** The API tells it too, not only the page: whoever sent the link is not the one who pressed the button. */
async function markDeclined(
  needs: Deps,
  { customerId, id }: Connection,
  seenAt: Date,
  microsoftCode: string | undefined,
): Promise<void> {
  const finding: ConnectionFinding = {
    cause: 'consent_declined',
    detail: causes.consent_declined.sentence,
    seenAt,
    ...(microsoftCode !== undefined && { microsoftCode }),
  };
  for (;;) {
    const found = await needs.connections.get(customerId, id);
    // One that works goes on working with the consent that it has.
    if (found?.value.status !== 'awaitingConsent') return;
    if (await needs.connections.update({ ...found.value, finding }, found.tag)) return;
  }
}

async function markConsented(needs: Deps, { customerId, id }: Connection, now: Date): Promise<void> {
  for (;;) {
    const found = await needs.connections.get(customerId, id);
    if (!found) return;
    const { quietUntil: _over, finding, ...rest } = found.value;
    const next = {
      ...rest,
      ...(finding && finding.cause !== 'consent_declined' && { finding }),
      consentedAt: now,
      grantsChangedAt: now,
    };
    if (await needs.connections.update(next, found.tag)) break;
  }
  // A cached token carries the permissions from before.
  needs.tokens.forget(id);
}
