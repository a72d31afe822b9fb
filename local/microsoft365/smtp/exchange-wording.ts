import { type SmtpReply, serverName, unsuccessful } from './replies.ts';

/** A reply of the smtp-server library. An array is the EHLO reply. */
export interface LibraryReply {
  code: number;
  text: string | string[] | undefined;
}

const exchangeWording = /^[245]\.\d{1,3}\.\d{1,3} /;

const accepted: Record<string, string> = {
  MAIL: '2.1.0 Sender OK',
  RCPT: '2.1.5 Recipient OK',
  RSET: '2.0.0 Resetting',
  NOOP: '2.0.0 OK',
};

/** Replaces the library's own wording with Exchange's. `command` is `undefined` for the greeting. */
export function toExchangeReply(reply: LibraryReply, command: string | undefined, isSecure: boolean): LibraryReply {
  const { code, text } = reply;
  if (Array.isArray(text)) {
    // Exchange offers AUTH only after STARTTLS.
    return { code, text: text.filter((line) => isSecure || !/^AUTH\b/.test(line)) };
  }
  if (text !== undefined && exchangeWording.test(text)) return reply;
  return rewordedReply(code, text ?? '', command) ?? reply;
}

function rewordedReply(code: number, text: string, command: string | undefined): SmtpReply | undefined {
  switch (code) {
    case 220:
      if (command === 'STARTTLS') return { code, text: '2.0.0 SMTP server ready' };
      return { code, text: `${serverName} Microsoft ESMTP MAIL Service ready at ${new Date().toUTCString()}` };
    case 221:
      return { code, text: '2.0.0 Service closing transmission channel' };
    case 235:
      return { code, text: '2.7.0 Authentication successful' };
    case 250:
      return { code, text: accepted[command ?? ''] ?? text };
    case 252:
      return { code, text: '2.1.5 Cannot VRFY user' };
    case 354:
      return { code, text: 'Start mail input; end with <CRLF>.<CRLF>' };
    case 421:
      return { code, text: /timeout/i.test(text) ? '4.4.1 Connection timed out' : `4.7.0 ${text}` };
    case 500:
    case 502:
      return { code: 500, text: '5.3.3 Unrecognized command' };
    case 501:
      return command === 'AUTH' && /userdata/.test(text) ? unsuccessful : { code, text: '5.5.4 Invalid arguments' };
    case 503:
      return { code, text: `5.5.2 ${outOfOrder(text)}` };
    case 504:
    case 538:
      return { code: 504, text: '5.7.4 Unrecognized authentication type' };
    default:
      return undefined;
  }
}

function outOfOrder(text: string): string {
  if (/EHLO/.test(text)) return 'Send hello first';
  if (/need MAIL/.test(text)) return 'Need mail command';
  if (/need RCPT/.test(text)) return 'Need rcpt command';
  return /nested MAIL/.test(text) ? 'Sender already specified' : 'Bad sequence of commands';
}
