import type { Entry } from '../directory.ts';
import { randomLoss } from '../graph/random-faults.ts';
import type { MailboxState } from '../mailbox-state.ts';
import type { Tenant } from '../tenant.ts';
import { isProtocolCode } from './fault-codes.ts';

export type Protocol = 'imap' | 'smtp';

/** A mailbox's fault as it shows in one of the two protocols. */
export interface ProtocolFault {
  /** `down`, `notConnected`, … or an enhanced status code of SMTP. */
  code: string;
  status?: number | undefined;
  message?: string | undefined;
  times?: number | undefined;
  at?: 'auth' | 'mail' | 'rcpt' | 'data' | undefined;
}

/** What a client gets instead of a reply: silence, a closed connection, or bytes that are not the protocol. */
export type BrokenReply = 'hang' | 'drop' | 'garbage';

/** A failure that has nothing to do with the client's permissions. It shows when the client signs in. */
export type SignInFailure = 'unavailable' | 'throttled' | BrokenReply;

/** `dropLater`: the sign-in works, and the connection is lost at the next command. */
export type TransientFailure = SignInFailure | 'dropLater';

const sharedFaults = new Set(['down', 'noAnswer', 'garbage', 'slow', 'flaky']);

/** The mailbox's fault, if it affects this protocol. */
export function protocolFaultOf(protocol: Protocol, { fault }: Entry): ProtocolFault | undefined {
  if (fault === null) return undefined;
  if (typeof fault === 'string' && sharedFaults.has(fault)) return { code: fault };
  if (typeof fault === 'string' && !fault.startsWith('error:')) return undefined;
  const codeFault = typeof fault === 'string' ? { code: fault.slice('error:'.length) } : fault;
  if (!isProtocolCode(codeFault.code)) return undefined;
  const [, prefix, code] = /^(IMAP|SMTP)\.(.+)$/.exec(codeFault.code) ?? [];
  if (prefix === undefined || code === undefined) return protocol === 'smtp' ? codeFault : undefined;
  return prefix.toLowerCase() === protocol ? { ...codeFault, code } : undefined;
}

/** Asked once per conversation, when the mailbox is known. The tenant's random faults come before the mailbox's own. */
export function transientFailureAt(
  protocol: Protocol,
  tenant: Tenant,
  mailbox: { entry: Entry; state: MailboxState } | undefined,
): TransientFailure | undefined {
  return randomTenantFailure(tenant) ?? (mailbox && mailboxFailure(protocol, mailbox.entry, mailbox.state));
}

function randomTenantFailure(tenant: Tenant): TransientFailure | undefined {
  const rates = tenant.scenario.faultRates;
  if (!rates) return undefined;
  const loss = randomLoss(tenant);
  if (loss) return loss === 'before' ? 'drop' : 'dropLater';
  const chance = tenant.chance();
  if (chance < rates.throttled) return 'throttled';
  if (chance < rates.throttled + rates.unavailable) return 'unavailable';
  if (chance < rates.throttled + rates.unavailable + rates.garbage) return 'garbage';
  return undefined;
}

const failureByCode: Record<string, TransientFailure> = {
  down: 'unavailable',
  unavailable: 'throttled',
  garbage: 'garbage',
  dropped: 'drop',
  noAnswer: 'hang',
};

/** The share of conversations that fail at a flaky mailbox. */
const FLAKY_SHARE = 0.3;
const flakyFailures: readonly TransientFailure[] = ['unavailable', 'drop', 'throttled'];

function mailboxFailure(protocol: Protocol, entry: Entry, state: MailboxState): TransientFailure | undefined {
  const fault = protocolFaultOf(protocol, entry);
  if (!fault) return undefined;
  if (fault.code === 'flaky') {
    if (state.random() >= FLAKY_SHARE) return undefined;
    return flakyFailures[Math.floor(state.random() * flakyFailures.length)] ?? 'unavailable';
  }
  const failure = failureByCode[fault.code];
  return failure && state.triggerFault(fault.times) ? failure : undefined;
}

const SLOW_MS = 2000;

/** How much longer each step takes at a slow mailbox, on top of the usual latency. */
export function slownessOf(protocol: Protocol, entry: Entry | undefined): number {
  return entry && protocolFaultOf(protocol, entry)?.code === 'slow' ? SLOW_MS : 0;
}

/** What the client reads for `garbage`: the reply of something that is not a mail server. */
export const garbageReply = 'HTTP/1.1 400 Bad Request\u0000\r\nConnection: close\r\n\r\n\u0000\u0001\u0002';
