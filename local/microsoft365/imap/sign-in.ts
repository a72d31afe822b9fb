import type { Entry } from '../directory.ts';
import type { OpenConnections } from '../protocols/open-connections.ts';
import {
  hasFullAccess,
  hasRole,
  identify,
  isOpenMailbox,
  type ProtocolCaller,
  readXoauth2,
} from '../protocols/protocol-caller.ts';
import { protocolFaultOf, type SignInFailure, transientFailureAt } from '../protocols/protocol-faults.ts';
import type { World } from '../world.ts';
import { type ImapReply, passingRefusals } from './replies.ts';

/** The client's session after `AUTHENTICATE` succeeded. */
export interface SignedIn {
  caller: ProtocolCaller;
  entry: Entry;
  /** If false, every command that needs the mailbox is refused although `AUTHENTICATE` succeeded. */
  isConnected: boolean;
  /** The simulator drops the connection at the next command. */
  dropsNext: boolean;
  /** The connection no longer counts towards the mailbox's limit. */
  release(): void;
}

export type SignInResult =
  | { kind: 'passed'; caller: ProtocolCaller; signedIn: SignedIn }
  | { kind: 'refused'; caller: ProtocolCaller | undefined; reply?: ImapReply }
  | { kind: 'failed'; caller: ProtocolCaller; failure: SignInFailure };

/** How many IMAP connections Exchange Online allows per mailbox. */
const CONNECTIONS_MAX = 20;

/** Addresses that accept a sign-in but have no mailbox to open. */
const withoutMailbox = new Set<Entry['kind']>(['onPremises', 'unlicensed', 'disabled']);

/** Handles `AUTHENTICATE XOAUTH2`. Like Exchange, it refuses with the same reply whatever the reason. */
export async function signIn(world: World, connections: OpenConnections, response: string): Promise<SignInResult> {
  const credentials = readXoauth2(response);
  const caller = credentials && (await identify(world, credentials.user, credentials.token));
  if (!caller) return { kind: 'refused', caller };
  const { tenant, entry } = caller;
  const state = entry && world.state(tenant, entry);
  const failure = transientFailureAt('imap', tenant, entry && state && { entry, state });
  if (failure && failure !== 'dropLater') return { kind: 'failed', caller, failure };
  if (!entry || !state || !canAccess(caller, entry)) return { kind: 'refused', caller };

  const fault = protocolFaultOf('imap', entry);
  if (fault?.code === 'authenticateFailed' && state.triggerFault(fault.times)) return { kind: 'refused', caller };
  if (fault?.code === 'limit' && state.triggerFault(fault.times)) {
    return { kind: 'refused', caller, reply: passingRefusals.limit };
  }
  const isNotConnected = fault?.code === 'notConnected' && state.triggerFault(fault.times);
  const isFull = connections.count(tenant, entry) >= CONNECTIONS_MAX;
  const isConnected = isOpenMailbox(entry) && entry.imap && !isNotConnected && !isFull;
  // A connection over the limit does not count towards it.
  const release = isConnected ? connections.add(tenant, entry) : () => undefined;
  return {
    kind: 'passed',
    caller,
    signedIn: { caller, entry, isConnected, dropsNext: failure === 'dropLater', release },
  };
}

/** The refusal to open a folder that passes, if the mailbox's fault asks for one. */
export function refusedFolder(world: World, { caller, entry }: SignedIn): ImapReply | undefined {
  const fault = protocolFaultOf('imap', entry);
  if (fault?.code !== 'serverBug' && fault?.code !== 'inUse') return undefined;
  return world.state(caller.tenant, entry).triggerFault(fault.times) ? passingRefusals[fault.code] : undefined;
}

/** RBAC for Applications has no IMAP role. The app needs the Entra permission, and FullAccess if there is a mailbox. */
function canAccess(caller: ProtocolCaller, entry: Entry): boolean {
  if (!hasRole(caller, 'IMAP.AccessAsApp')) return false;
  if (!withoutMailbox.has(entry.kind) && !hasFullAccess(caller, entry)) return false;
  return !caller.app.propagation.isDenied(Date.now());
}
