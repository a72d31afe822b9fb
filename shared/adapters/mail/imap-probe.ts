import { ImapFlow } from 'imapflow';
import type { Answer } from '../../checks/answer.ts';
import type { Secret } from '../../kernel/secret.ts';
import { refused } from '../refused.ts';

export interface MailServer {
  host: string;
  port: number;
}

/**
 * Signs in by IMAP with XOAUTH2, opens the inbox read-only and signs out. Exchange Online accepts a token before it
 * checks the mailbox, so a sign-in alone does not pass.
 * https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
 */
export async function probeImap(
  server: MailServer,
  address: string,
  token: Secret,
  timeoutMs: number,
): Promise<Answer> {
  const client = new ImapFlow({
    ...server,
    secure: true,
    auth: { user: address, accessToken: token.reveal() },
    logger: false,
    disableAutoIdle: true,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  });
  // A socket error also fails the pending command.
  client.on('error', () => undefined);
  let timer: NodeJS.Timeout | undefined;
  // If Microsoft throttles a command, the library sleeps. This timeout ends that: our waits happen on the queue.
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('timed out')), timeoutMs);
  });
  const openInbox = async () => {
    await client.connect();
    await client.mailboxOpen('INBOX', { readOnly: true });
    await client.logout();
  };
  const opened = openInbox();
  opened.catch(() => undefined);
  try {
    await Promise.race([opened, timeout]);
    return { kind: 'accepted', value: undefined };
  } catch (error) {
    return toAnswer(error);
  } finally {
    clearTimeout(timer);
    client.close();
  }
}

/** What the library adds to an error if the server refused. */
interface ServerRefusal {
  responseStatus?: unknown;
  responseText?: unknown;
  /** Set if the sign-in failed. `response` is then the server's text without its status. */
  authenticationFailed?: unknown;
  response?: unknown;
  /** The response code in brackets, which `responseText` lacks. */
  serverResponseCode?: unknown;
}

function toAnswer(error: unknown): Answer {
  const { responseStatus, responseText, authenticationFailed, response, serverResponseCode } = error as ServerRefusal;
  const text = typeof responseText === 'string' ? responseText : response;
  const isRefused = responseStatus === 'NO' || responseStatus === 'BAD' || authenticationFailed === true;
  if (!isRefused || typeof text !== 'string' || text === '') return { kind: 'lost' };
  const code = responseStatus === 'BAD' ? 'BAD' : 'NO';
  const responseCode = typeof serverResponseCode === 'string' && { innerCode: serverResponseCode.toUpperCase() };
  return { kind: 'refused', refusal: refused({ service: 'imap', status: 0, code, ...responseCode, message: text }) };
}
