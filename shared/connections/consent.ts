import { createHash, randomBytes } from 'node:crypto';
import { causes } from '../causes/causes.ts';
import type { ConnectionFinding } from '../causes/verdict.ts';
import type { CustomerActor } from '../kernel/actor.ts';
import type { Clock } from '../kernel/clock.ts';
import { changeConnection } from './change-connection.ts';
import type { Cloud, Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import { awaitedCauses } from './connection-test.ts';
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

const CALLBACK_PATH = '/v1/consent/callback';

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

/** The query that the admin's browser brings back. Every field may be missing or forged. */
interface ConsentCallback {
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
  /** The state is missing, unknown, used or expired, or the answer is incomplete. Nothing changes or is revealed. */
  | { kind: 'unknown' };

/**
 * Records a consent callback. Anyone can call it, so it proves nothing: it only marks the connection that its state
 * belongs to. A connection test must still show that a token carries the permissions.
 *
 * Only a complete answer uses the link up: consented, declined, or given in the wrong tenant. Someone who opens the
 * callback with the state alone leaves the link as it is.
 */
export async function receiveConsent(deps: Deps, callback: ConsentCallback): Promise<ConsentOutcome> {
  if (!callback.state) return { kind: 'unknown' };
  const now = deps.clock.now();
  const request = await deps.consents.get(hashOf(callback.state));
  if (!request || request.usedAt || request.expiresAt <= now) return { kind: 'unknown' };
  if (!isComplete(callback)) return { kind: 'unknown' };
  const found = await deps.connections.get(request.customerId, request.connectionId);
  if (!found || !(await deps.consents.use(request.stateHash, now))) return { kind: 'unknown' };
  const connection = found.value;
  // Microsoft also sends admin_consent=True with errors, so the error decides.
  if (callback.error) {
    const isCancel =
      callback.errorSubcode === 'cancel' || /canceled|AADSTS65004/i.test(callback.errorDescription ?? '');
    const microsoftCode = /AADSTS\d{1,20}/.exec(callback.errorDescription ?? '')?.[0];
    await markDeclined(deps, connection, now, microsoftCode);
    return {
      kind: 'declined',
      connection,
      why: isCancel ? 'cancelled' : 'refused',
      ...(microsoftCode !== undefined && { microsoftCode }),
    };
  }
  if (callback.tenant?.toLowerCase() !== connection.tenantId) return { kind: 'wrongTenant', connection };
  await markConsented(deps, connection, now);
  return { kind: 'consented', connection };
}

/** Whether the callback says what the admin decided. Microsoft names the tenant with every consent. */
function isComplete({ error, adminConsent, tenant }: ConsentCallback): boolean {
  return Boolean(error) || (adminConsent?.toLowerCase() === 'true' && Boolean(tenant));
}

/** Stored with the connection, because the person who sent the link does not see the page that the admin sees. */
async function markDeclined(
  deps: Deps,
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
  await changeConnection(deps.connections, customerId, id, (current) =>
    // A connection that already works keeps working with the consent it has.
    current.status === 'awaitingConsent' ? { ...current, finding } : undefined,
  );
}

async function markConsented(deps: Deps, { customerId, id }: Connection, now: Date): Promise<void> {
  await changeConnection(deps.connections, customerId, id, (current) => {
    const { checksHeldUntil: _held, finding, ...rest } = current;
    const isAnswered = current.status === 'awaitingConsent' && finding && awaitedCauses.has(finding.cause);
    return {
      ...rest,
      ...(finding && finding.cause !== 'consent_declined' && !isAnswered && { finding }),
      consentedAt: now,
      grantsChangedAt: now,
    };
  });
  // A cached token carries the permissions from before the consent.
  deps.tokens.forget(id);
}
