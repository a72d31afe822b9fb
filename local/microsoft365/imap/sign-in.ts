import type { Entry } from '../directory.ts';
import type { Places } from '../protocols/places.ts';
import {
  hasFullAccess,
  hasRole,
  identify,
  isOpenMailbox,
  type ProtocolCaller,
  readXoauth2,
} from '../protocols/protocol-caller.ts';
import { protocolFaultOf, strikes, type Weather, weatherAt } from '../protocols/protocol-faults.ts';
import type { World } from '../world.ts';

/** A conversation that has passed `AUTHENTICATE`. */
export interface SignedIn {
  caller: ProtocolCaller;
  entry: Entry;
  /** Not: `AUTHENTICATE` passed, and whatever needs the mailbox is refused. */
  isConnected: boolean;
  /** The connection is lost at the next command. */
  isDoomed: boolean;
  /** Gives the place at the mailbox back. */
  leave(): void;
}

export type SignInResult =
  | { kind: 'passed'; caller: ProtocolCaller; signedIn: SignedIn }
  | { kind: 'refused'; caller: ProtocolCaller | undefined }
  | { kind: 'weather'; caller: ProtocolCaller; weather: Exclude<Weather, 'dropLater'> };

/** What Exchange Online allows one mailbox. */
const mostConnections = 20;

/** Addresses that may be signed in to and have no mailbox that would open. */
const withoutMailbox = new Set<Entry['kind']>(['onPremises', 'unlicensed', 'disabled']);

/** Judges what a client sent with `AUTHENTICATE XOAUTH2`; every refusal of Exchange's is the same for all reasons. */
export async function signIn(world: World, places: Places, response: string): Promise<SignInResult> {
  const credentials = readXoauth2(response);
  const caller = credentials && (await identify(world, credentials.user, credentials.token));
  if (!caller) return { kind: 'refused', caller };
  const { tenant, entry } = caller;
  const state = entry && world.state(tenant, entry);
  const weather = weatherAt('imap', tenant, entry && state && { entry, state });
  if (weather && weather !== 'dropLater') return { kind: 'weather', caller, weather };
  if (!entry || !state || !mayAccess(caller, entry)) return { kind: 'refused', caller };

  const fault = protocolFaultOf('imap', entry);
  if (fault?.code === 'authenticateFailed' && strikes(fault, state)) return { kind: 'refused', caller };
  const isKeptOut = fault?.code === 'notConnected' && strikes(fault, state);
  const isFull = places.count(tenant, entry) >= mostConnections;
  const isConnected = isOpenMailbox(entry) && entry.imap && !isKeptOut && !isFull;
  // A connection over the limit takes nobody's place.
  const leave = isConnected ? places.take(tenant, entry) : () => undefined;
  return {
    kind: 'passed',
    caller,
    signedIn: { caller, entry, isConnected, isDoomed: weather === 'dropLater', leave },
  };
}

/** RBAC for Applications has no role for IMAP: it takes the permission, and FullAccess where there is a mailbox. */
function mayAccess(caller: ProtocolCaller, entry: Entry): boolean {
  if (!hasRole(caller, 'IMAP.AccessAsApp')) return false;
  if (!withoutMailbox.has(entry.kind) && !hasFullAccess(caller, entry)) return false;
  return !caller.app.propagation.isDenied(Date.now());
}
