import type { BrokenReply, SignInFailure } from '../protocols/protocol-faults.ts';

/** The tagged reply to a command, and the untagged lines before it. */
export interface ImapReply {
  status: 'OK' | 'NO' | 'BAD' | 'BYE';
  text: string;
  untagged?: readonly string[];
  /** The server closes the connection after it. */
  isLast?: boolean;
}

export const ok = (text: string, ...untagged: string[]): ImapReply => ({ status: 'OK', text, untagged });
export const no = (text: string): ImapReply => ({ status: 'NO', text });
export const bad = (text: string): ImapReply => ({ status: 'BAD', text });

export const authenticateFailed = no('AUTHENTICATE failed.');
export const basicDisabled = no('Basic authentication is disabled.');
export const notConnected = bad('User is authenticated but not connected.');
export const wrongState = bad('Command received in Invalid state.');
export const unknownCommand = bad('Command Error. 12');
export const wrongArguments = bad('Command Argument Error. 12');

/**
 * Refusals that pass, with a response code of RFC 5530. Of these, Exchange's wording is unknown. `limit` refuses the
 * sign-in, the others refuse to open a folder.
 */
export const passingRefusals = {
  limit: no('[LIMIT] Too many connections for this mailbox.'),
  serverBug: no('[SERVERBUG] The folder cannot be opened.'),
  inUse: no('[INUSE] The folder is in use.'),
} as const;

export function replyToFailedSignIn(failure: SignInFailure): ImapReply | BrokenReply {
  if (failure === 'unavailable') return { status: 'BYE', text: 'Connection is closed. 13', isLast: true };
  if (failure === 'throttled') return no('[UNAVAILABLE] Server Unavailable. 15');
  return failure;
}

/** The HTTP status for the request log; IMAP has no status codes. 0 means that the client got no reply. */
export function httpStatusOf(reply: ImapReply | BrokenReply): number {
  if (typeof reply === 'string') return 0;
  if (reply.status === 'OK') return 200;
  if (reply.status === 'BAD') return 400;
  return reply.status === 'BYE' || reply.text.startsWith('[UNAVAILABLE]') ? 503 : 403;
}
