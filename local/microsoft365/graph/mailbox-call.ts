import { type Entry, hasMailbox } from '../directory.ts';
import type { MailboxContents } from '../mail-store.ts';
import { pause } from '../pause.ts';
import type { CallKind } from '../scenario.ts';
import type { Tenant } from '../tenant.ts';
import type { World } from '../world.ts';
import type { Caller } from './caller.ts';
import { errorResponse } from './error-response.ts';
import type { GraphCall } from './graph-call.ts';
import { knownErrors } from './known-errors.ts';
import { type AttemptedCall, faultAt, transientFailureAt } from './mailbox-faults.ts';
import { refusedByOrganization, refusedByPermission, refusedByPolicy } from './permissions.ts';
import { readRequestBody, type WantedBody } from './request-body.ts';
import { exchangeError, type GraphResponse } from './responses.ts';
import { concurrencyMaxOf, overConcurrency } from './throttling.ts';

/** A permitted call on a mailbox. */
export interface MailboxCall {
  world: World;
  tenant: Tenant;
  entry: Entry;
  /** The mailbox as the path names it. */
  user: string;
  params: Record<string, string>;
  call: GraphCall;
  body: Record<string, unknown>;
  /** The mailbox's contents. Creates them, so call it only to write. */
  contents(): MailboxContents;
  /** The mailbox's contents, if anything was ever written to it. */
  peek(): MailboxContents | undefined;
  /** Step "store": whether the store refuses. Ask once the request makes sense, and before changing anything. */
  refusedByStore(): GraphResponse | undefined;
}

export interface MailOperation {
  kind: CallKind;
  /** Any one of these is enough. */
  permissions: readonly string[];
  /** A request without this body is refused before Exchange sees it. */
  body: WantedBody;
  /** National clouds do not have it: https://learn.microsoft.com/graph/api/message-permanentdelete. */
  isGlobalOnly?: true;
  run(call: MailboxCall): GraphResponse;
}

const SLOW_MS = 2000;

/**
 * Answers a call on a mailbox; the caller is authenticated. The checks run in the order of
 * docs/microsoft365.md, "Order of evaluation".
 */
export async function answerMailCall(
  world: World,
  caller: Caller,
  operation: MailOperation,
  call: GraphCall,
  params: Record<string, string>,
): Promise<{ response: GraphResponse; mailbox: string | undefined }> {
  const { tenant } = caller;
  const user = params.user ?? '';
  const entry = tenant.directory.byId(user) ?? tenant.directory.byAddress(user);
  const attempt = entry && { world, entry, state: world.state(tenant, entry), kind: operation.kind, call, user };
  const read = readRequestBody(call, operation.body, tenant.scenario);
  const early =
    (attempt && faultAt('token', attempt)) ??
    ('refused' in read ? read.refused : refusedByResolution(world, entry, user, call));
  if (!attempt || 'refused' in read || early) {
    await pause(world.latencyMs);
    return { response: early ?? invalidUser(user), mailbox: entry?.address };
  }
  const response = await withConcurrencyLimit(caller, attempt, () =>
    evaluate(caller, operation, attempt, { params, body: read.body }),
  );
  return { response, mailbox: attempt.entry.address };
}

/** Counts the call against the app's concurrency limit at the mailbox while it runs. */
async function withConcurrencyLimit(
  { tenant, app }: Caller,
  { world, entry, state }: AttemptedCall,
  run: () => GraphResponse,
): Promise<GraphResponse> {
  const { clientId } = app.scenario;
  if (!state.startCall(clientId, concurrencyMaxOf(tenant))) return overConcurrency(tenant);
  try {
    await pause(world.latencyMs + (entry.fault === 'slow' ? SLOW_MS : 0));
    return run();
  } finally {
    state.endCall(clientId);
  }
}

/** Everything after the mailbox is found: its faults, permissions and policies, then the operation itself. */
function evaluate(
  caller: Caller,
  operation: MailOperation,
  attempt: AttemptedCall,
  request: { params: Record<string, string>; body: Record<string, unknown> },
): GraphResponse {
  const { tenant } = caller;
  const { world, entry, state, call, user } = attempt;
  const refused =
    transientFailureAt(entry, state, call) ??
    faultAt('resolve', attempt) ??
    refusedByPermission(caller, operation.permissions, attempt) ??
    faultAt('permission', attempt) ??
    refusedByPolicy(caller, operation.permissions, entry) ??
    faultAt('policy', attempt) ??
    refusedByOrganization(tenant) ??
    faultAt('logon', attempt);
  if (refused) return refused;
  const response = operation.run({
    world,
    tenant,
    entry,
    user,
    ...request,
    call,
    contents: () => world.mail.of(tenant.id, entry.address),
    peek: () => world.mail.peek(tenant.id, entry.address),
    refusedByStore: () => faultAt('store', attempt),
  });
  const isCreated = operation.kind === 'create' && response.status === 201;
  // Only the first response is lost. The next attempt finds the draft or creates another one.
  if (entry.fault === 'lostDraft' && isCreated && state.triggerFault(1)) return { ...response, noReply: 'drop' };
  return response;
}

/** Step "resolve": the address must have a mailbox in Exchange. */
function refusedByResolution(
  world: World,
  entry: Entry | undefined,
  user: string,
  call: GraphCall,
): GraphResponse | undefined {
  if (!entry) return invalidUser(user);
  if (hasMailbox(entry)) return undefined;
  const usual = entry.kind === 'group' || entry.kind === 'contact' ? 'ErrorInvalidUser' : 'MailboxNotEnabledForRESTAPI';
  const code = entry.code ?? usual;
  return errorResponse(world, call, code, { user, ...(knownErrors[code] ? {} : { status: 404 }) });
}

const invalidUser = (user: string) =>
  exchangeError(404, 'ErrorInvalidUser', `The requested user '${user}' is invalid.`);
