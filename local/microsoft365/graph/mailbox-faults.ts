import type { Entry } from '../directory.ts';
import type { MailboxState } from '../mailbox-state.ts';
import type { CallKind } from '../scenario.ts';
import { exchangeError, frontDoorError, type GraphAnswer, type GraphCall, outlookAnswer } from './answers.ts';
import { knownErrors, type Stage } from './known-errors.ts';

interface Strike {
  code: string;
  status: number;
  message: string;
  stage: Stage;
  on: readonly CallKind[] | undefined;
  times: number;
  retryAfterSeconds: number | undefined;
  frontDoor: boolean;
}

/** Refuses for the mailbox's fault at the given stage; `undefined` where the fault does not strike. */
export function faultAt(
  stage: Stage,
  entry: Entry,
  state: MailboxState,
  kind: CallKind,
  call: GraphCall,
  user: string,
): GraphAnswer | undefined {
  const strike = strikeOf(entry);
  if (!strike || strike.stage !== stage || (strike.on && !strike.on.includes(kind))) return undefined;
  if (state.strikes >= strike.times) return undefined;
  state.strikes += 1;
  const headers: Record<string, string> =
    strike.retryAfterSeconds === undefined ? {} : { 'Retry-After': String(strike.retryAfterSeconds) };
  const message = strike.message.replace('{user}', user);
  if (strike.frontDoor) return frontDoorError(call, strike.status, strike.code, message, headers);
  return exchangeError(strike.status, strike.code, message, headers);
}

function strikeOf({ fault, kind }: Entry): Strike | undefined {
  if (fault === null) return kind === 'disabled' ? strike('ErrorAccountDisabled', {}) : undefined;
  if (typeof fault === 'object') return strike(fault.code, fault);
  if (fault === 'full') return strike('ErrorQuotaExceeded', {});
  if (fault === 'moving') return strike('ErrorMailboxMoveInProgress', {});
  if (fault.startsWith('error:')) return strike(fault.slice('error:'.length), {});
  return undefined;
}

function strike(
  code: string,
  given: {
    status?: number | undefined;
    message?: string | undefined;
    on?: readonly CallKind[] | undefined;
    times?: number | undefined;
    retryAfterSeconds?: number | undefined;
  },
): Strike {
  const known = knownErrors[code];
  const status = given.status ?? known?.status ?? 403;
  return {
    code,
    status,
    message: given.message ?? known?.message ?? `The request was refused: ${code}.`,
    stage: known?.stage ?? 'logon',
    on: given.on ?? known?.on,
    times: given.times ?? Number.POSITIVE_INFINITY,
    retryAfterSeconds: given.retryAfterSeconds ?? (code === 'ApplicationThrottled' ? 1 : undefined),
    frontDoor: known?.frontDoor ?? false,
  };
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
    () => ({
      status: 502,
      headers: { 'Content-Type': 'text/html' },
      body: '<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>',
    }),
  ];
  const shape = shapes[Math.floor(chance * shapes.length)] ?? shapes[0];
  return shape ? shape() : { status: 503, headers: {} };
}
