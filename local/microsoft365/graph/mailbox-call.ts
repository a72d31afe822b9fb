import { type Entry, hasMailbox } from '../directory.ts';
import type { MailboxContents } from '../mail-store.ts';
import type { CallKind } from '../scenario.ts';
import type { Tenant } from '../tenant.ts';
import type { World } from '../world.ts';
import { exchangeError, type GraphAnswer, type GraphCall } from './answers.ts';
import type { Caller } from './caller.ts';
import { knownAnswer } from './known-answer.ts';
import { knownErrors } from './known-errors.ts';
import { faultAt, type Struck, weatherAt } from './mailbox-faults.ts';
import { readRequestBody, type WantedBody } from './request-body.ts';
import { concurrencyOf, overConcurrency } from './throttling.ts';

/** A permitted call on a mailbox. */
export interface MailboxCall {
  world: World;
  tenant: Tenant;
  entry: Entry;
  /** As the path names the mailbox. */
  user: string;
  params: Record<string, string>;
  call: GraphCall;
  body: Record<string, unknown>;
  /** What lies in the mailbox; made at the first write. */
  contents(): MailboxContents;
  peek(): MailboxContents | undefined;
  /** Step 8, the state of the store: asked once the request makes sense, before anything is done. */
  refusedByStore(): GraphAnswer | undefined;
}

export interface MailOperation {
  kind: CallKind;
  /** Any one of these permissions will do. */
  needs: readonly string[];
  /** Without what is wanted nothing is asked of Exchange. */
  body: WantedBody;
  run(call: MailboxCall): GraphAnswer;
}

const slowMs = 2000;

/** The order of evaluation of `microsoft365.md` §1.6 for a call on a mailbox, once the caller is known. */
export async function answerMailCall(
  world: World,
  caller: Caller,
  operation: MailOperation,
  call: GraphCall,
  params: Record<string, string>,
): Promise<{ answer: GraphAnswer; mailbox: string | undefined }> {
  const { tenant } = caller;
  const user = params.user ?? '';
  const entry = tenant.directory.byId(user) ?? tenant.directory.byAddress(user);
  const struck = entry && { world, entry, state: world.state(tenant, entry), kind: operation.kind, call, user };
  const read = readRequestBody(call, operation.body);
  const early =
    (struck && faultAt('token', struck)) ??
    ('refused' in read ? read.refused : refusedByResolution(world, entry, user, call));
  if (!struck || 'refused' in read || early) {
    await pause(world.latencyMs);
    return { answer: early ?? invalidUser(user), mailbox: entry?.address };
  }
  const answer = await atMailbox(caller, struck, () =>
    evaluate(world, caller, operation, struck, { params, body: read.body }),
  );
  return { answer, mailbox: struck.entry.address };
}

/** Holds one of the app's places at the mailbox meanwhile. */
async function atMailbox(
  { tenant, app }: Caller,
  { world, entry, state }: Struck,
  evaluate: () => GraphAnswer,
): Promise<GraphAnswer> {
  const { clientId } = app.scenario;
  if (!state.enter(clientId, concurrencyOf(tenant))) return overConcurrency(tenant);
  try {
    await pause(world.latencyMs + (entry.fault === 'slow' ? slowMs : 0));
    return evaluate();
  } finally {
    state.leave(clientId);
  }
}

/** Steps 4, where the mailbox itself is at fault, to 8. */
function evaluate(
  world: World,
  caller: Caller,
  operation: MailOperation,
  struck: Struck,
  asked: { params: Record<string, string>; body: Record<string, unknown> },
): GraphAnswer {
  const { tenant } = caller;
  const { entry, state, call, user } = struck;
  const refused =
    weatherAt(entry, state, call) ??
    faultAt('resolve', struck) ??
    refusedByPermission(world, caller, operation, struck) ??
    faultAt('permission', struck) ??
    refusedByPolicy(caller, operation, entry) ??
    faultAt('policy', struck) ??
    refusedByOrganization(tenant) ??
    faultAt('logon', struck);
  if (refused) return refused;
  const answer = operation.run({
    world,
    tenant,
    entry,
    user,
    ...asked,
    call,
    contents: () => world.mail.of(tenant.id, entry.address),
    peek: () => world.mail.peek(tenant.id, entry.address),
    refusedByStore: () => faultAt('store', struck),
  });
  if (entry.fault === 'lostDraft' && operation.kind === 'create' && answer.status === 201 && state.strikes === 0) {
    // Once is what a lost answer is; the next try finds the draft, or makes another.
    state.strikes += 1;
    return { ...answer, fate: 'drop' };
  }
  return answer;
}

/** Step 4: Exchange must hold a mailbox for it. */
function refusedByResolution(
  world: World,
  entry: Entry | undefined,
  user: string,
  call: GraphCall,
): GraphAnswer | undefined {
  if (!entry) return invalidUser(user);
  if (hasMailbox(entry)) return undefined;
  const usual = entry.kind === 'group' || entry.kind === 'contact' ? 'ErrorInvalidUser' : 'MailboxNotEnabledForRESTAPI';
  return knownAnswer(world, call, entry.code ?? usual, {
    user,
    ...(knownErrors[entry.code ?? usual] ? {} : { status: 404 }),
  });
}

const invalidUser = (user: string) =>
  exchangeError(404, 'ErrorInvalidUser', `The requested user '${user}' is invalid.`);

/** Which of the operation's permissions the app has here, and by what: a role of the token, or RBAC. */
function permissionsAt({ claims, app }: Caller, operation: MailOperation, entry: Entry) {
  // A role counts while the token shows it and the tenant still grants it.
  const roles = (claims.roles ?? []).filter((role) => app.grants.includes(role));
  const needs = operation.needs.filter((permission) => !isTakenAway(permission, entry));
  return {
    byEntra: needs.some((permission) => roles.includes(permission)),
    byRbac: needs.some((permission) => app.hasRbac(permission, entry)),
  };
}

/** Step 5: Entra roles united with RBAC. */
function refusedByPermission(
  world: World,
  caller: Caller,
  operation: MailOperation,
  { entry, call }: Struck,
): GraphAnswer | undefined {
  const { claims, app } = caller;
  // Where Graph insists on roles, what RBAC grants does not help: nobody gets as far as Exchange.
  if (!claims.roles && app.scenario.refusesRolelessToken) return knownAnswer(world, call, 'NoPermissionsInAccessToken');
  const { byEntra, byRbac } = permissionsAt(caller, operation, entry);
  if ((byEntra || byRbac) && !app.propagation.isDenied(Date.now())) return undefined;
  return exchangeError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
}

/** Step 6: policies keep only the Entra roles away; the lists for EWS and REST keep everybody away. */
function refusedByPolicy(caller: Caller, operation: MailOperation, entry: Entry): GraphAnswer | undefined {
  if (entry.fault === 'restBlocked') return exchangeError(403, 'ErrorAccessDenied', 'Access to OData is disabled.');
  if (!caller.app.isBlockedByPolicy(entry) || permissionsAt(caller, operation, entry).byRbac) return undefined;
  return exchangeError(
    403,
    'ErrorAccessDenied',
    'Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.',
  );
}

function isTakenAway(permission: string, { fault }: Entry): boolean {
  return (
    (fault === 'sendDenied' && permission === 'Mail.Send') ||
    (fault === 'readWriteDenied' && permission === 'Mail.ReadWrite')
  );
}

function refusedByOrganization(tenant: Tenant): GraphAnswer | undefined {
  if (!tenant.scenario.organizationBlocked) return undefined;
  return exchangeError(403, 'ErrorOrganizationAccessBlocked', 'Access to the organization is blocked.');
}

export async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}
