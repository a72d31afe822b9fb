import type { Entry } from '../directory.ts';
import type { MailboxState } from '../mailbox-state.ts';
import { isProtocolCode } from '../protocols/fault-codes.ts';
import type { CallKind, MailboxFault } from '../scenario.ts';
import type { World } from '../world.ts';
import { frontDoorError, type GraphAnswer, type GraphCall, outlookAnswer } from './answers.ts';
import { knownAnswer } from './known-answer.ts';
import { knownErrors, type Stage } from './known-errors.ts';

/** One call on one mailbox, as far as a fault cares. */
export interface Struck {
  world: World;
  entry: Entry;
  state: MailboxState;
  kind: CallKind;
  call: GraphCall;
  user: string;
}

type CodeFault = Extract<MailboxFault, { code: string }>;

/** Refuses for the mailbox's fault at the given stage; `undefined` where the fault does not strike. */
export function faultAt(stage: Stage, { world, entry, state, kind, call, user }: Struck): GraphAnswer | undefined {
  const fault = codeFaultOf(entry);
  if (!fault) return undefined;
  const known = knownErrors[fault.code];
  const on = fault.on ?? known?.on;
  if ((known?.stage ?? 'logon') !== stage || (on && !on.includes(kind))) return undefined;
  if (state.strikes >= (fault.times ?? Number.POSITIVE_INFINITY)) return undefined;
  state.strikes += 1;
  return knownAnswer(world, call, fault.code, { ...fault, user });
}

function codeFaultOf({ fault, kind }: Entry): CodeFault | undefined {
  if (fault === null) return kind === 'disabled' ? { code: 'ErrorAccountDisabled' } : undefined;
  if (typeof fault === 'object') return isProtocolCode(fault.code) ? undefined : fault;
  if (fault === 'full') return { code: 'ErrorQuotaExceeded' };
  if (fault === 'moving') return { code: 'ErrorMailboxMoveInProgress' };
  const code = fault.startsWith('error:') ? fault.slice('error:'.length) : undefined;
  return code === undefined || isProtocolCode(code) ? undefined : { code };
}

/** How often a flaky mailbox fails. */
const flakyShare = 0.3;

/** What is wrong with the way to the mailbox, whoever asks and whatever for. */
export function weatherAt(entry: Entry, state: MailboxState, call: GraphCall): GraphAnswer | undefined {
  switch (entry.fault) {
    case 'down':
      return frontDoorError(call, 503, 'ServiceUnavailable', 'The service is temporarily unavailable.');
    case 'noAnswer':
      return { status: 0, headers: {}, fate: 'hang' };
    case 'garbage':
      return garbage();
    case 'emptyAnswer':
      return { status: 503, headers: {} };
    case 'gatewayPage':
      return gatewayPage();
    case 'flaky':
      return state.random() < flakyShare ? brokenGateway(state.random(), call) : undefined;
    default:
      return undefined;
  }
}

export function garbage(): GraphAnswer {
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body: '{"@odata.context":"https://gra\u0000\uFFFD',
  };
}

/** What a proxy answers that does not reach Graph. */
function gatewayPage(): GraphAnswer {
  return {
    status: 502,
    headers: { 'Content-Type': 'text/html' },
    body: '<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>',
  };
}

/** One of the ways in which a 5xx comes: as Graph's error, without a body, or as a proxy's page. */
export function brokenGateway(chance: number, call: GraphCall): GraphAnswer {
  const shapes: (() => GraphAnswer)[] = [
    () => frontDoorError(call, 503, 'ServiceUnavailable', 'The service is temporarily unavailable.'),
    () => ({ status: 503, headers: {} }),
    () => frontDoorError(call, 502, 'UnknownError', ''),
    () => frontDoorError(call, 504, 'GatewayTimeout', 'The gateway timed out.'),
    () =>
      outlookAnswer(500, {
        error: {
          code: 'ErrorInternalServerError',
          message: 'An internal server error occurred. The operation failed.',
        },
      }),
    gatewayPage,
  ];
  const shape = shapes[Math.floor(chance * shapes.length)] ?? shapes[0];
  return shape ? shape() : { status: 503, headers: {} };
}
