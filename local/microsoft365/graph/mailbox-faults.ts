import type { Entry } from '../directory.ts';
import type { MailboxState } from '../mailbox-state.ts';
import { isProtocolCode } from '../protocols/fault-codes.ts';
import type { CallKind, MailboxFault } from '../scenario.ts';
import type { World } from '../world.ts';
import {
  brokenJson,
  emptyServiceUnavailable,
  gatewayPage,
  randomServerError,
  serviceUnavailable,
} from './broken-responses.ts';
import { errorResponse } from './error-response.ts';
import type { GraphCall } from './graph-call.ts';
import { knownErrors, type Stage } from './known-errors.ts';
import type { GraphResponse } from './responses.ts';

/** A call on a mailbox before anyone has decided whether it is permitted. */
export interface AttemptedCall {
  world: World;
  entry: Entry;
  state: MailboxState;
  kind: CallKind;
  call: GraphCall;
  /** The mailbox as the path names it. */
  user: string;
}

type CodeFault = Extract<MailboxFault, { code: string }>;

/** Refuses the call if the mailbox has a fault that shows at this stage. The fault then counts as occurred. */
export function faultAt(
  stage: Stage,
  { world, entry, state, kind, call, user }: AttemptedCall,
): GraphResponse | undefined {
  const fault = codeFaultOf(entry);
  if (!fault) return undefined;
  const known = knownErrors[fault.code];
  const on = fault.on ?? known?.on;
  if ((known?.stage ?? 'logon') !== stage || (on && !on.includes(kind))) return undefined;
  if (!state.triggerFault(fault.times)) return undefined;
  return errorResponse(world, call, fault.code, { ...fault, user });
}

function codeFaultOf({ fault, kind }: Entry): CodeFault | undefined {
  if (fault === null) return kind === 'disabled' ? { code: 'ErrorAccountDisabled' } : undefined;
  if (typeof fault === 'object') return isProtocolCode(fault.code) ? undefined : fault;
  if (fault === 'full') return { code: 'ErrorQuotaExceeded' };
  if (fault === 'moving') return { code: 'ErrorMailboxMoveInProgress' };
  const code = fault.startsWith('error:') ? fault.slice('error:'.length) : undefined;
  return code === undefined || isProtocolCode(code) ? undefined : { code };
}

/** The share of calls that fail at a flaky mailbox. */
const FLAKY_SHARE = 0.3;

/** Fails the call if the mailbox cannot be reached. Permissions and the kind of call do not matter. */
export function transientFailureAt(entry: Entry, state: MailboxState, call: GraphCall): GraphResponse | undefined {
  switch (entry.fault) {
    case 'down':
      return serviceUnavailable(call);
    case 'noAnswer':
      return { status: 0, headers: {}, noReply: 'hang' };
    case 'garbage':
      return brokenJson();
    case 'emptyAnswer':
      return emptyServiceUnavailable();
    case 'gatewayPage':
      return gatewayPage();
    case 'flaky':
      return state.random() < FLAKY_SHARE ? randomServerError(state.random(), call) : undefined;
    default:
      return undefined;
  }
}
