import type { Entry } from '../directory.ts';
import { lossByChance } from '../graph/throttling.ts';
import type { MailboxState } from '../mailbox-state.ts';
import type { Tenant } from '../tenant.ts';
import { isProtocolCode } from './fault-codes.ts';

export type Protocol = 'imap' | 'smtp';

/** A mailbox's fault as one of the two protocols feels it. */
export interface ProtocolFault {
  /** `down`, `notConnected`, … or an enhanced status code of SMTP's. */
  code: string;
  status?: number | undefined;
  message?: string | undefined;
  times?: number | undefined;
  at?: 'auth' | 'mail' | 'rcpt' | 'data' | undefined;
}

/** How a conversation goes wrong, whoever speaks. */
export type Weather = 'unavailable' | 'throttled' | 'garbage' | 'drop' | 'dropLater' | 'hang';

const shared = new Set(['down', 'noAnswer', 'garbage', 'slow', 'flaky']);

/** What is wrong with the mailbox for this protocol; faults that only Graph knows are none. */
export function protocolFaultOf(protocol: Protocol, { fault }: Entry): ProtocolFault | undefined {
  if (fault === null) return undefined;
  if (typeof fault === 'string' && shared.has(fault)) return { code: fault };
  if (typeof fault === 'string' && !fault.startsWith('error:')) return undefined;
  const whole = typeof fault === 'string' ? { code: fault.slice('error:'.length) } : fault;
  if (!isProtocolCode(whole.code)) return undefined;
  const [, named, name] = /^(IMAP|SMTP)\.(.+)$/.exec(whole.code) ?? [];
  if (named === undefined || name === undefined) return protocol === 'smtp' ? whole : undefined;
  return named.toLowerCase() === protocol ? { ...whole, code: name } : undefined;
}

/** Whether the fault strikes once more; each time counts. */
export function strikes(fault: ProtocolFault, state: MailboxState): boolean {
  if (state.strikes >= (fault.times ?? Number.POSITIVE_INFINITY)) return false;
  state.strikes += 1;
  return true;
}

const flakyShare = 0.3;
const flakyWays: readonly Weather[] = ['unavailable', 'drop', 'throttled'];

/** Asked once in a conversation, when it is known whose mailbox is wanted: the tenant's weather, then the mailbox's. */
export function weatherAt(
  protocol: Protocol,
  tenant: Tenant,
  mailbox: { entry: Entry; state: MailboxState } | undefined,
): Weather | undefined {
  return weatherOf(tenant) ?? (mailbox && troubleAt(protocol, mailbox.entry, mailbox.state));
}

function weatherOf(tenant: Tenant): Weather | undefined {
  const rates = tenant.scenario.faultRates;
  if (!rates) return undefined;
  const loss = lossByChance(tenant);
  if (loss) return loss === 'before' ? 'drop' : 'dropLater';
  const chance = tenant.chance();
  if (chance < rates.throttled) return 'throttled';
  if (chance < rates.throttled + rates.unavailable) return 'unavailable';
  if (chance < rates.throttled + rates.unavailable + rates.garbage) return 'garbage';
  return undefined;
}

function troubleAt(protocol: Protocol, entry: Entry, state: MailboxState): Weather | undefined {
  const fault = protocolFaultOf(protocol, entry);
  if (!fault) return undefined;
  if (fault.code === 'flaky') {
    if (state.random() >= flakyShare) return undefined;
    return flakyWays[Math.floor(state.random() * flakyWays.length)] ?? 'unavailable';
  }
  const weather = troubles[fault.code];
  return weather && strikes(fault, state) ? weather : undefined;
}

const troubles: Record<string, Weather> = {
  down: 'unavailable',
  unavailable: 'throttled',
  garbage: 'garbage',
  dropped: 'drop',
  noAnswer: 'hang',
};

const slowMs = 2000;

/** How long the mailbox takes for each step, beyond the latency of all. */
export function slownessOf(protocol: Protocol, entry: Entry | undefined): number {
  return entry && protocolFaultOf(protocol, entry)?.code === 'slow' ? slowMs : 0;
}

/** What comes instead of an answer where something else than a mail server answers. */
export const junk = 'HTTP/1.1 400 Bad Request\u0000\r\nConnection: close\r\n\r\n\u0000\u0001\u0002';
