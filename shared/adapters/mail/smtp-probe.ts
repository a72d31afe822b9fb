import SMTPConnection, {
  type SMTPConnectionCustomAuthContext,
  type SMTPConnectionCustomAuthResponse,
} from 'nodemailer/lib/smtp-connection';
import type { Answer } from '../../checks/answer.ts';
import type { Secret } from '../../kernel/secret.ts';
import { refused } from '../refused.ts';
import type { MailServer } from './imap-probe.ts';

/** Our own name. For `XOAUTH2`, the library would first look for a token of its own. */
const METHOD = 'MUSTER-PROBE';

/**
 * Sends STARTTLS, AUTH, MAIL FROM with the mailbox's own address, RSET and QUIT. Without RCPT TO and DATA, no message
 * is sent.
 *
 * The token follows AUTH on a line of its own. A command line has 512 octets at most, and a token of Microsoft's is
 * longer: some servers then answer as if the sign-in had failed.
 * https://www.rfc-editor.org/rfc/rfc4954#section-4
 *
 * The library cannot send MAIL FROM without RCPT TO. So the whole session runs in its hook for custom authentication,
 * which may send any command and read the replies (docs/decisions/0010).
 */
export async function probeSmtp(
  server: MailServer,
  address: string,
  token: Secret,
  timeoutMs: number,
): Promise<Answer> {
  let refusing: SMTPConnectionCustomAuthResponse | undefined;
  let isSenderAccepted = false;
  const runSession = async ({ sendCommand }: SMTPConnectionCustomAuthContext): Promise<void> => {
    const credentials = Buffer.from(`user=${address}\x01auth=Bearer ${token.reveal()}\x01\x01`).toString('base64');
    let reply = await sendCommand('AUTH XOAUTH2');
    if (statusOf(reply) === 334) {
      reply = await sendCommand(credentials);
      // A second challenge contains the reason of a refusal. The server refuses after an empty response to it.
      if (statusOf(reply) === 334) reply = await sendCommand('');
    }
    if (reply.status === 235) reply = await sendCommand(`MAIL FROM:<${address}>`);
    if (reply.status < 200 || reply.status >= 300) {
      refusing = reply;
      return;
    }
    isSenderAccepted = true;
    await sendCommand('RSET');
  };
  const connection = new SMTPConnection({
    ...server,
    secure: false,
    requireTLS: true,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    customAuth: { [METHOD]: runSession },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('timed out')), timeoutMs);
      const end = (error?: Error | null) => {
        clearTimeout(timer);
        if (error) reject(error);
        else resolve();
      };
      connection.once('error', end);
      connection.once('end', () => end(new Error('the connection ended')));
      connection.connect((failed) => {
        if (failed) end(failed);
        else connection.login({ method: METHOD, user: address }, (error) => end(error));
      });
    });
  } catch (error) {
    // Once the sender is accepted, the answer is known, even if RSET fails.
    if (!isSenderAccepted && !refusing) return refusalIn(error) ?? { kind: 'lost' };
  } finally {
    connection.on('error', () => undefined);
    connection.quit();
    connection.close();
  }
  return refusing ? refusal(refusing) : { kind: 'accepted', value: undefined };
}

/** The library does not read the status of a reply that has no text. */
function statusOf({ status, response }: SMTPConnectionCustomAuthResponse): number {
  return status || Number(/^\d{3}/.exec(response)?.[0] ?? 0);
}

function refusal({
  status,
  code,
  response,
}: Pick<SMTPConnectionCustomAuthResponse, 'status' | 'code' | 'response'>): Answer {
  if (status < 400) return { kind: 'lost' };
  return {
    kind: 'refused',
    refusal: refused({ service: 'smtp', status, code: code ?? enhancedIn(response), message: response }),
  };
}

/** A busy server refuses before the sign-in. */
function refusalIn(error: unknown): Answer | undefined {
  const { response, responseCode } = error as { response?: unknown; responseCode?: unknown };
  if (typeof response !== 'string' || typeof responseCode !== 'number' || responseCode < 400) return undefined;
  return refusal({ status: responseCode, response });
}

/** https://www.rfc-editor.org/rfc/rfc3463 */
function enhancedIn(response: string): string {
  return /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(response)?.[0] ?? '';
}
