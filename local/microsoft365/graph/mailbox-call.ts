import { type Entry, hasMailbox } from '../directory.ts';
import type { MailboxContents } from '../mail-store.ts';
import type { MailboxState } from '../mailbox-state.ts';
import type { CallKind } from '../scenario.ts';
import type { Tenant } from '../tenant.ts';
import type { World } from '../world.ts';
import { exchangeError, frontDoorError, type GraphAnswer, type GraphCall } from './answers.ts';
import type { Caller } from './caller.ts';
import { knownErrors } from './known-errors.ts';
import { faultAt, weatherAt } from './mailbox-faults.ts';
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
  /** Whether a JSON body is wanted; without one nothing is asked of Exchange. */
  body: 'json' | 'none';
  run(call: MailboxCall): GraphAnswer;
}

const slowMs = 2000;

/** Steps 4 to 8 of the order of evaluation of `microsoft365.md` §1.6. */
export async function answerMailCall(
  world: World,
  caller: Caller,
  operation: MailOperation,
  call: GraphCall,
  params: Record<string, string>,
): Promise<{ answer: GraphAnswer; mailbox: string | undefined }> {
  const { tenant, app } = caller;
  const user = params.user ?? '';
  const entry = tenant.directory.byId(user) ?? tenant.directory.byAddress(user);
  const unresolved = refusedByResolution(entry, user);
  if (!entry || unresolved) {
    await pause(world.latencyMs);
    return { answer: unresolved ?? invalidUser(user), mailbox: entry?.address };
  }
  const state = world.state(tenant, entry);
  const clientId = app.scenario.clientId;
  if (!state.enter(clientId, concurrencyOf(tenant))) return { answer: overConcurrency(tenant), mailbox: entry.address };
  try {
    await pause(world.latencyMs + (entry.fault === 'slow' ? slowMs : 0));
    const answer = evaluate(world, caller, operation, call, params, { user, entry, state });
    return { answer, mailbox: entry.address };
  } finally {
    state.leave(clientId);
  }
}

function evaluate(
  world: World,
  caller: Caller,
  operation: MailOperation,
  call: GraphCall,
  params: Record<string, string>,
  at: { user: string; entry: Entry; state: MailboxState },
): GraphAnswer {
  const { tenant } = caller;
  const { user, entry, state } = at;
  const early = weatherAt(entry, state, call) ?? faultAt('resolve', entry, state, operation.kind, call, user);
  if (early) return early;
  const refused = refusedByPermission(caller, entry, operation) ?? refusedByOrganization(tenant);
  if (refused) return refused;
  const late = faultAt('logon', entry, state, operation.kind, call, user);
  if (late) return late;
  const answer = operation.run({
    world,
    tenant,
    entry,
    user,
    params,
    call,
    body: call.body.kind === 'json' ? (call.body.value as Record<string, unknown>) : {},
    contents: () => world.mail.of(tenant.id, entry.address),
    peek: () => world.mail.peek(tenant.id, entry.address),
    refusedByStore: () => faultAt('store', entry, state, operation.kind, call, user),
  });
  if (entry.fault === 'lostDraft' && operation.kind === 'create' && answer.status === 201 && state.strikes === 0) {
    // Once is what a lost answer is; the next try finds the draft, or makes another.
    state.strikes += 1;
    return { ...answer, fate: 'drop' };
  }
  return answer;
}

/** Step 4: Exchange must hold a mailbox for it. */
function refusedByResolution(entry: Entry | undefined, user: string): GraphAnswer | undefined {
  if (!entry) return invalidUser(user);
  if (hasMailbox(entry)) return undefined;
  const code =
    entry.code ??
    (entry.kind === 'group' || entry.kind === 'contact' ? 'ErrorInvalidUser' : 'MailboxNotEnabledForRESTAPI');
  const known = knownErrors[code];
  return exchangeError(known?.status ?? 404, code, (known?.message ?? code).replace('{user}', user));
}

const invalidUser = (user: string) =>
  exchangeError(404, 'ErrorInvalidUser', `The requested user '${user}' is invalid.`);

/** Steps 5 and 6: Entra roles united with RBAC, policies keeping only the Entra ones away. */
function refusedByPermission({ claims, app }: Caller, entry: Entry, operation: MailOperation): GraphAnswer | undefined {
  // A role counts while the token shows it and the tenant still grants it.
  const roles = (claims.roles ?? []).filter((role) => app.grants.includes(role));
  const needs = operation.needs.filter((permission) => !isTakenAway(permission, entry));
  const byEntra = needs.some((permission) => roles.includes(permission));
  const byRbac = needs.some((permission) => app.hasRbac(permission, entry));
  if (!byEntra && !byRbac) {
    if (!claims.roles && app.scenario.refusesRolelessToken) {
      return exchangeError(
        403,
        'NoPermissionsInAccessToken',
        'The token contains no permissions, or permissions can not be understood.',
      );
    }
    return accessDenied();
  }
  if (app.propagation.isDenied(Date.now())) return accessDenied();
  if (!byRbac && app.isBlockedByPolicy(entry)) {
    return exchangeError(
      403,
      'ErrorAccessDenied',
      'Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.',
    );
  }
  return undefined;
}

const accessDenied = () =>
  exchangeError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');

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

/** Step 3 for calls that carry something: the front door reads it before anybody else. */
export function refusedByBody(call: GraphCall, wanted: MailOperation['body']): GraphAnswer | undefined {
  if (wanted === 'none') return undefined;
  if (call.body.kind === 'none') {
    return frontDoorError(call, 400, 'BadRequest', 'Empty Payload. JSON content expected.');
  }
  const isObject = call.body.kind === 'json' && typeof call.body.value === 'object' && call.body.value !== null;
  if (isObject && !Array.isArray(call.body.kind === 'json' ? call.body.value : null)) return undefined;
  return frontDoorError(
    call,
    400,
    'BadRequest',
    'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
  );
}

export async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}
