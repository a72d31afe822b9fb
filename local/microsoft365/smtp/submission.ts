import { deliver } from '../delivery.ts';
import type { Entry } from '../directory.ts';
import { readMime } from '../graph/mime.ts';
import type { Places } from '../protocols/places.ts';
import { hasFullAccess, hasRole, identify, isOpenMailbox, type ProtocolCaller } from '../protocols/protocol-caller.ts';
import { protocolFaultOf, strikes, type Weather, weatherAt } from '../protocols/protocol-faults.ts';
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

/** A client that has passed AUTH. */
export interface Submitter {
  caller: ProtocolCaller;
  entry: Entry;
  /** The connection is lost at the next step. */
  isDoomed: boolean;
}

/** What becomes of a conversation that gets no reply. */
export type Fate = 'hang' | 'drop' | 'garbage';

export interface AuthResult {
  caller: ProtocolCaller | undefined;
  outcome: { passed: Submitter } | { refused: SmtpReply } | { fate: Fate };
}

/** More send at once for one mailbox, and Exchange asks them to come one after another. */
const mostConnections = 3;

/** Judges an AUTH XOAUTH2. */
export async function judgeToken(world: World, user: string, token: string): Promise<AuthResult> {
  const caller = await identify(world, user, token);
  if (!caller) return { caller, outcome: { refused: unsuccessful } };
  const { tenant, entry } = caller;
  const state = entry && world.state(tenant, entry);
  const weather = weatherAt('smtp', tenant, entry && state && { entry, state });
  if (weather && weather !== 'dropLater') return { caller, outcome: inWeather(weather) };
  // An app without rights learns nothing of how the mailbox is set up.
  if (!entry || !mayAccess(caller, entry)) return { caller, outcome: { refused: unsuccessful } };
  const refused = switchedOff(caller, entry) ?? faultAt(world, 'auth', { caller, entry });
  if (refused) return { caller, outcome: { refused } };
  return { caller, outcome: { passed: { caller, entry, isDoomed: weather === 'dropLater' } } };
}

/** Whatever the password: what is said depends on how far the organization's basic authentication is gone. */
export function judgePassword(world: World, user: string): SmtpReply {
  const tenant = world.find(user)?.tenant ?? world.tenant(user.split('@').at(-1) ?? '');
  return basicRefusals[tenant?.scenario.basicAuth ?? 'disabled'];
}

/**
 * With the permission the mailbox's own FullAccess is asked for, whatever RBAC says; without it the role of RBAC for
 * Applications suffices.
 */
function mayAccess(caller: ProtocolCaller, entry: Entry): boolean {
  if (!isOpenMailbox(entry)) return false;
  const isGranted = hasRole(caller, 'SMTP.SendAsApp')
    ? hasFullAccess(caller, entry)
    : caller.app.hasRbac('SMTP.SendAsApp', entry);
  return isGranted && !caller.app.propagation.isDenied(Date.now());
}

/** The mailbox's own setting wins over the organization's. */
function switchedOff({ tenant }: ProtocolCaller, { smtpAuth }: Entry): SmtpReply | undefined {
  if (smtpAuth === false) return disabledForMailbox;
  return smtpAuth === undefined && tenant.scenario.smtpAuthDisabled ? disabledForTenant : undefined;
}

/** Judges MAIL FROM; `submitter` is absent where nobody has signed in. */
export function judgeSender(world: World, submitter: Submitter, sender: string): SmtpReply | undefined {
  if (!isOwn(submitter.entry, sender)) return notThisSender;
  const { sendingBlocked } = submitter.caller.tenant.scenario;
  return faultAt(world, 'mail', submitter) ?? (sendingBlocked ? blockedSending[sendingBlocked] : undefined);
}

export function judgeRecipient(world: World, submitter: Submitter): SmtpReply | undefined {
  return faultAt(world, 'rcpt', submitter);
}

/** Judges a whole message, and delivers it unless it is refused. */
export function judgeMessage(
  world: World,
  places: Places,
  submitter: Submitter,
  { mime, recipients }: { mime: Buffer; recipients: string[] },
): SmtpReply | undefined {
  const { caller, entry } = submitter;
  if (places.count(caller.tenant, entry) > mostConnections) return tooManyConnections;
  const read = readMime(mime.toString('base64'));
  const { subject, from, ...content } = read === 'malformed' ? { subject: '', from: undefined } : read;
  const claimed = addressOf(from);
  if (claimed !== undefined && !isOwn(entry, claimed)) return notThisSender;
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
  if (!strikes(fault, world.state(caller.tenant, entry))) return undefined;
  // It is the store that says so when the message is handed over.
  if (fault.code === '4.3.2' && step === 'data' && fault.message === undefined) return threadLimit;
  return replyOf(fault.code, fault);
}

function inWeather(weather: Exclude<Weather, 'dropLater'>): AuthResult['outcome'] {
  if (weather === 'unavailable') return { refused: unavailable };
  return weather === 'throttled' ? { refused: tooManyConnections } : { fate: weather };
}

function isOwn({ address, upn, aliases }: Entry, sender: string): boolean {
  return [address, upn, ...aliases].some((own) => own.toLowerCase() === sender.toLowerCase());
}

function addressOf(from: unknown): string | undefined {
  if (typeof from !== 'object' || from === null) return undefined;
  const { emailAddress } = from as { emailAddress?: { address?: unknown } };
  return typeof emailAddress?.address === 'string' ? emailAddress.address : undefined;
}
