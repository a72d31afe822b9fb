import type { AuditLog, AuditRecord } from '../../kernel/audit-log.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import type { Connection } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';
import type { Tokens } from '../tokens.ts';
import { type AdminSignIn, isConsentingAdmin } from './admin-sign-in.ts';
import { type ConsentCallback, type Decline, readConsentAnswer } from './consent-answer.ts';
import { type EndedLink, endedLink, hashOf, newState } from './consent-state.ts';
import type { ConsentRequest, ConsentStep, ConsentStore } from './consent-store.ts';
import { markConsented, markDeclined } from './mark-consent.ts';

export interface SignInDeps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  consents: Pick<ConsentStore, 'insert' | 'get' | 'use'>;
  tokens: Pick<Tokens, 'forget'>;
  /** Absent if the deployment has no app of its own. */
  adminSignIn: AdminSignIn | undefined;
  customers: { get(customerId: string): Promise<{ value: { name: string; nameByOperator?: string } } | undefined> };
  auditLog: Pick<AuditLog, 'insert' | 'complete'>;
  newId: NewId;
  publicUrl: string;
  clock: Clock;
}

export const SIGN_IN_PATH = '/v1/consent/sign-in';
export const CONFIRM_PATH = '/v1/consent/confirm';

/** A sign-in with a second factor takes a while, and an admin reads before confirming. */
const STEP_VALID_MS = 15 * 60_000;

export type SignInOutcome =
  /** An admin has signed in. The page asks whether the customer may use the tenant. */
  | { kind: 'toConfirm'; connection: Connection; customerName: string; confirmPath: string }
  | ({ kind: 'declined'; connection: Connection } & Decline)
  | { kind: 'wrongTenant'; connection: Connection }
  /** The person may not grant application permissions for the tenant, so their word does not count. */
  | { kind: 'notAdmin'; connection: Connection }
  /** The registration of the app does not let Entra tell the roles of people: a problem of ours. */
  | { kind: 'rolesHidden'; connection: Connection }
  /** Entra refused the code, or the credential of the app. */
  | { kind: 'signInRefused'; connection: Connection; microsoftCode?: string; reason: string }
  /** Microsoft was unavailable. The same address works again. */
  | { kind: 'signInUnfinished' }
  /** Microsoft sent the browser back without an answer. The link of the consent is used up, so there must be a new one. */
  | { kind: 'signInIncomplete'; microsoftCode?: string }
  | EndedLink;

/**
 * The consent of a tenant says nothing about who may use it: every customer of the vendor uses the same app. So Microsoft
 * must say that the person in front of the browser is an admin of the tenant, and that person must see the name of the
 * customer and confirm. Until then there is no token for the connection.
 *
 * Resolves to the address of the sign-in.
 */
export async function beginSignIn(deps: SignInDeps, connection: Connection): Promise<string> {
  if (!deps.adminSignIn) throw notConfigured();
  const { tenantId } = connection;
  // The state is stored with what only this sign-in knows, and goes into its address.
  const { url, nonce, codeVerifier } = await deps.adminSignIn.begin({ tenantId, redirectUri: redirectUriOf(deps) });
  const signIn = { nonce, codeVerifier };
  const { state } = await newState(deps, connection, { step: 'signIn', signIn }, STEP_VALID_MS);
  return withState(url, state);
}

/** The admin comes back from the sign-in. The state is used up by an answer, not by a try that Microsoft did not answer. */
export async function receiveSignIn(
  deps: SignInDeps,
  { code, ...callback }: ConsentCallback & { code?: string | undefined },
): Promise<SignInOutcome> {
  const found = await findStep(deps, 'signIn', callback.state);
  if ('kind' in found) return found;
  const { request, connection } = found;
  const now = deps.clock.now();
  if (callback.error) {
    const answer = readConsentAnswer(callback);
    if (answer.kind !== 'declined') return { ...answer, kind: 'signInIncomplete' };
    if (!(await deps.consents.use(request.stateHash, now))) return endedLink(deps, 'used', request);
    await markDeclined(deps, connection, answer, now);
    return { ...answer, connection };
  }
  if (!code || !request.signIn) return { kind: 'signInIncomplete' };
  if (!deps.adminSignIn) throw notConfigured();
  const { tenantId } = connection;
  const answer = await deps.adminSignIn
    .redeem({ tenantId, redirectUri: redirectUriOf(deps), code, ...request.signIn })
    .catch(unlessTransient);
  if (!answer) return { kind: 'signInUnfinished' };
  if (!(await deps.consents.use(request.stateHash, now))) return endedLink(deps, 'used', request);
  if (answer.kind === 'refused') return { ...answer, kind: 'signInRefused', connection };
  const { person } = answer;
  if (person.tenantId !== tenantId) return { kind: 'wrongTenant', connection };
  if (!person.directoryRoles) return { kind: 'rolesHidden', connection };
  if (!isConsentingAdmin(person)) return { kind: 'notAdmin', connection };
  const customer = await deps.customers.get(connection.customerId);
  if (!customer) return { kind: 'unknown' };
  const { state } = await newState(deps, connection, { step: 'confirm', adminId: person.objectId }, STEP_VALID_MS);
  const confirmPath = `${CONFIRM_PATH}?${new URLSearchParams({ state })}`;
  // An owner may rename the customer, and could choose the name of somebody whom the admin trusts.
  const customerName = customer.value.nameByOperator ?? customer.value.name;
  return { kind: 'toConfirm', connection, customerName, confirmPath };
}

/** The admin has confirmed that the customer may use the tenant. From now on there are tokens for the connection. */
export async function confirmTenant(
  deps: SignInDeps,
  state: string | undefined,
  caller: Pick<AuditRecord, 'requestId' | 'address'>,
): Promise<{ kind: 'consented'; connection: Connection } | EndedLink> {
  const found = await findStep(deps, 'confirm', state);
  if ('kind' in found) return found;
  const { request, connection } = found;
  const now = deps.clock.now();
  if (!request.adminId) return { kind: 'unknown' };
  const intent: AuditRecord = {
    ...caller,
    id: deps.newId('aud'),
    at: now,
    // The admin has no key of ours, and may do nothing else here.
    keyId: `admin:${request.adminId}`,
    role: 'viewer',
    customerId: connection.customerId,
    action: 'connections.confirm-tenant',
    object: connection.id,
    result: 'unknown',
  };
  await deps.auditLog.insert(intent);
  // Repeatable until it is used up: a process that dies in between has confirmed, and says so when asked again.
  const adminConfirmation = { at: now, adminId: request.adminId };
  await markConsented(deps, connection, now, adminConfirmation);
  await deps.auditLog.complete(intent, { result: 'succeeded', status: 200 }).catch(() => undefined);
  if (!(await deps.consents.use(request.stateHash, now))) return endedLink(deps, 'used', request);
  return { kind: 'consented', connection: { ...connection, adminConfirmation } };
}

/** The step of a state, and its connection. */
async function findStep(
  deps: Pick<SignInDeps, 'consents' | 'connections' | 'clock'>,
  step: ConsentStep,
  state: string | undefined,
): Promise<{ request: ConsentRequest; connection: Connection } | EndedLink> {
  if (!state) return { kind: 'unknown' };
  const request = await deps.consents.get(hashOf(state));
  if (request?.step !== step) return { kind: 'unknown' };
  if (request.usedAt) return endedLink(deps, 'used', request);
  if (request.expiresAt <= deps.clock.now()) return endedLink(deps, 'expired', request);
  const found = await deps.connections.get(request.customerId, request.connectionId);
  return found ? { request, connection: found.value } : { kind: 'unknown' };
}

function redirectUriOf({ publicUrl }: Pick<SignInDeps, 'publicUrl'>): string {
  return `${publicUrl}${SIGN_IN_PATH}`;
}

function withState(url: string, state: string): string {
  const whole = new URL(url);
  whole.searchParams.set('state', state);
  return whole.toString();
}

function unlessTransient(error: unknown): undefined {
  if (error instanceof DomainError && error.code === 'microsoft_unavailable') return undefined;
  throw error;
}

function notConfigured(): Error {
  return new Error('the deployment has no app of its own any more: VENDOR_APP_CLIENT_ID is not set');
}
