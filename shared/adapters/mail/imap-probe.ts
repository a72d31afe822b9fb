import { ImapFlow } from 'imapflow';
import type { Answer } from '../../checks/graph-answer.ts';
import type { Secret } from '../../kernel/secret.ts';

export interface MailServer {
  host: string;
  port: number;
}

/**
 * Signs in by IMAP with XOAUTH2, opens the inbox for reading only, and leaves. Exchange Online lets a token in before it
 * looks at the mailbox, so a sign-in alone is no pass.
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
  // Whatever goes wrong on the socket also fails the command that waits for it.
  client.on('error', () => undefined);
  let timer: NodeJS.Timeout | undefined;
  // The library sleeps when Microsoft asks it to slow down; we wait on the queue.
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), timeoutMs);
  });
  const ask = async () => {
    await client.connect();
    await client.mailboxOpen('INBOX', { readOnly: true });
    await client.logout();
  };
  const asked = ask();
  asked.catch(() => undefined);
  try {
    await Promise.race([asked, tooLong]);
    return { kind: 'accepted', value: undefined };
  } catch (error) {
    return toAnswer(error);
  } finally {
    clearTimeout(timer);
    client.close();
  }
}

/** What the library adds to an error when it was the server who said no. */
interface ServerSaidNo {
  responseStatus?: unknown;
  responseText?: unknown;
  /** Set when the session did not begin; `response` is then the server's text without its status. */
  authenticationFailed?: unknown;
  response?: unknown;
}

function toAnswer(error: unknown): Answer {
  const { responseStatus, responseText, authenticationFailed, response } = error as ServerSaidNo;
  const text = typeof responseText === 'string' ? responseText : response;
  const isRefused = responseStatus === 'NO' || responseStatus === 'BAD' || authenticationFailed === true;
  if (!isRefused || typeof text !== 'string' || text === '') return { kind: 'lost' };
  const code = responseStatus === 'BAD' ? 'BAD' : 'NO';
  return { kind: 'refused', refusal: { service: 'imap', status: 0, code, message: text.slice(0, 1000) } };
}
