import { deliver } from '../delivery.ts';
import type { Entry } from '../directory.ts';
import { readMime } from '../graph/mime.ts';
import type { OpenConnections } from '../protocols/open-connections.ts';
import { hasFullAccess, hasRole, identify, isOpenMailbox, type ProtocolCaller } from '../protocols/protocol-caller.ts';
import {
  type BrokenReply,
  protocolFaultOf,
  type SignInFailure,
  transientFailureAt,
} from '../protocols/protocol-faults.ts';
import type { World } from '../world.ts';
import {
  basicRefusals,
  blockedSending,
  disabledForMailbox,
  disabledForTenant,
  knownReplies,
  notThisSender,
  replyOf,
  type SmtpReply,
  type Step,
  threadLimit,
  tooManyConnections,
  unavailable,
  unsuccessful,
} from './replies.ts';

/** A client that is signed in. */
export interface Submitter {
  caller: ProtocolCaller;
  entry: Entry;
  /** The simulator drops the connection at the next command. */
  dropsNext: boolean;
}

export interface AuthResult {
  caller: ProtocolCaller | undefined;
  outcome: { passed: Submitter } | { refused: SmtpReply } | { broken: BrokenReply };
}

/** How many connections may submit messages from one mailbox at the same time. */
const CONNECTIONS_MAX = 3;

/** Handles AUTH XOAUTH2. */
export async function authenticate(world: World, user: string, token: string): Promise<AuthResult> {
  const caller = await identify(world, user, token);
  if (!caller) return { caller, outcome: { refused: unsuccessful } };
  const { tenant, entry } = caller;
  const state = entry && world.state(tenant, entry);
  const failure = transientFailureAt('smtp', tenant, entry && state && { entry, state });
  if (failure && failure !== 'dropLater') return { caller, outcome: failedSignIn(failure) };
  // An app without permission learns nothing about the mailbox's settings.
  if (!entry || !canAccess(caller, entry)) return { caller, outcome: { refused: unsuccessful } };
  const refused = refusedBySetting(caller, entry) ?? faultAt(world, 'auth', { caller, entry });
  if (refused) return { caller, outcome: { refused } };
  return { caller, outcome: { passed: { caller, entry, dropsNext: failure === 'dropLater' } } };
}

/** No password is accepted. The wording depends on the state of basic authentication in the organization. */
export function refusedPassword(world: World, user: string): SmtpReply {
  const tenant = world.find(user)?.tenant ?? world.tenant(user.split('@').at(-1) ?? '');
  return basicRefusals[tenant?.scenario.basicAuth ?? 'disabled'];
}

/**
 * An app with the Entra permission needs FullAccess to the mailbox, even if RBAC for Applications grants the role. For an
 * app without the permission, the RBAC role is enough.
 */
function canAccess(caller: ProtocolCaller, entry: Entry): boolean {
  if (!isOpenMailbox(entry)) return false;
  const isGranted = hasRole(caller, 'SMTP.SendAsApp')
    ? hasFullAccess(caller, entry)
    : caller.app.hasRbac('SMTP.SendAsApp', entry);
  return isGranted && !caller.app.propagation.isDenied(Date.now());
}

/** The mailbox's own setting overrides the organization's. */
function refusedBySetting({ tenant }: ProtocolCaller, { smtpAuth }: Entry): SmtpReply | undefined {
  if (smtpAuth === false) return disabledForMailbox;
  return smtpAuth === undefined && tenant.scenario.smtpAuthDisabled ? disabledForTenant : undefined;
}

/** Checks MAIL FROM. */
export function refusedSender(world: World, submitter: Submitter, sender: string): SmtpReply | undefined {
  if (!isOwn(submitter.entry, sender)) return notThisSender;
  const { sendingBlocked } = submitter.caller.tenant.scenario;
  return faultAt(world, 'mail', submitter) ?? (sendingBlocked ? blockedSending[sendingBlocked] : undefined);
}

/** Checks RCPT TO. */
export function refusedRecipient(world: World, submitter: Submitter): SmtpReply | undefined {
  return faultAt(world, 'rcpt', submitter);
}

/** Checks a whole message and delivers it, unless it is refused. */
export function submitMessage(
  world: World,
  connections: OpenConnections,
  submitter: Submitter,
  { mime, recipients }: { mime: Buffer; recipients: string[] },
): SmtpReply | undefined {
  const { caller, entry } = submitter;
  if (connections.count(caller.tenant, entry) > CONNECTIONS_MAX) return tooManyConnections;
  const read = readMime(mime.toString('base64'));
  const { subject, from, ...content } = read === 'malformed' ? { subject: '', from: undefined } : read;
  const sender = addressOf(from);
  if (sender !== undefined && !isOwn(entry, sender)) return notThisSender;
  const refused = faultAt(world, 'data', submitter);
  if (refused) return refused;
  const message = { subject: String(subject ?? ''), content, to: recipients, via: 'smtp' as const, keepsCopy: true };
  deliver(world, { tenant: caller.tenant, entry }, message);
  return undefined;
}

function faultAt(
  world: World,
  step: Step,
  { caller, entry }: Pick<Submitter, 'caller' | 'entry'>,
): SmtpReply | undefined {
  const fault = protocolFaultOf('smtp', entry);
  if (!fault || !/^\d/.test(fault.code) || (fault.at ?? knownReplies[fault.code]?.at ?? 'mail') !== step)
    return undefined;
  if (!world.state(caller.tenant, entry).triggerFault(fault.times)) return undefined;
  // At DATA the message store refuses, with its own wording.
  if (fault.code === '4.3.2' && step === 'data' && fault.message === undefined) return threadLimit;
  return replyOf(fault.code, fault);
}

function failedSignIn(failure: SignInFailure): AuthResult['outcome'] {
  if (failure === 'unavailable') return { refused: unavailable };
  return failure === 'throttled' ? { refused: tooManyConnections } : { broken: failure };
}

function isOwn({ address, upn, aliases }: Entry, sender: string): boolean {
  return [address, upn, ...aliases].some((own) => own.toLowerCase() === sender.toLowerCase());
}

function addressOf(from: unknown): string | undefined {
  if (typeof from !== 'object' || from === null) return undefined;
  const { emailAddress } = from as { emailAddress?: { address?: unknown } };
  return typeof emailAddress?.address === 'string' ? emailAddress.address : undefined;
}
