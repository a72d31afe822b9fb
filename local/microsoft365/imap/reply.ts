import type { Weather } from '../protocols/protocol-faults.ts';

/** The server's last word on a command, and what goes before it. */
export interface ImapReply {
  status: 'OK' | 'NO' | 'BAD' | 'BYE';
  text: string;
  untagged?: readonly string[];
  /** The connection ends after it. */
  isLast?: boolean;
}

/** What becomes of a conversation that gets no reply. */
export type Fate = 'hang' | 'drop' | 'garbage';

export const ok = (text: string, ...untagged: string[]): ImapReply => ({ status: 'OK', text, untagged });
export const no = (text: string): ImapReply => ({ status: 'NO', text });
export const bad = (text: string): ImapReply => ({ status: 'BAD', text });

export const authenticateFailed = no('AUTHENTICATE failed.');
export const basicDisabled = no('Basic authentication is disabled.');
export const notConnected = bad('User is authenticated but not connected.');
export const wrongState = bad('Command received in Invalid state.');
export const unknownCommand = bad('Command Error. 12');
export const wrongArguments = bad('Command Argument Error. 12');

export function inWeather(weather: Exclude<Weather, 'dropLater'>): ImapReply | Fate {
  if (weather === 'unavailable') return { status: 'BYE', text: 'Connection is closed. 13', isLast: true };
  if (weather === 'throttled') return no('[UNAVAILABLE] Server Unavailable. 15');
  return weather;
}

/** As the request log has it, in HTTP's numbers: the protocol has none. */
export function statusOf(reply: ImapReply | Fate): number {
  if (typeof reply === 'string') return 0;
  if (reply.status === 'OK') return 200;
  if (reply.status === 'BAD') return 400;
  return reply.status === 'BYE' || reply.text.startsWith('[UNAVAILABLE]') ? 503 : 403;
}
