import type { SMTPSentMessageInfo } from 'nodemailer/lib/smtp-transport';
import type { EmailResult, EmailSender } from '../../alerts/email.ts';
import type { Secret } from '../../kernel/secret.ts';

const DETAIL_MAX_LENGTH = 300;

/** The mail server of the deployment, by SMTP. `url` is as nodemailer reads it: `smtps://user:password@host:465`. */
export function smtpEmail(options: { url: Secret; from: string; timeoutMs: number }): EmailSender {
  const { from, timeoutMs } = options;
  const openTransport = async () => {
    const { createTransport } = await import('./nodemailer.ts');
    return createTransport({
      url: options.url.reveal(),
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
    });
  };
  return {
    async send(to, { subject, text, html }, id) {
      const domain = from.split('@').at(-1)?.replace(/>$/, '') ?? 'localhost';
      const headers = { 'Auto-Submitted': 'auto-generated' };
      try {
        const transport = await openTransport();
        const messageId = `<${id}@${domain}>`;
        const sent = await transport.sendMail({ from, to: [...to], subject, text, html, headers, messageId });
        return { result: 'succeeded', ...(sent.rejected.length > 0 && { detail: refusedRecipients(sent) }) };
      } catch (error) {
        return failureOf(error);
      }
    },
  };
}

/** Those that the server refused, while it took the message for the others. */
function refusedRecipients({ rejectedErrors = [] }: Pick<SMTPSentMessageInfo, 'rejectedErrors'>): string {
  const refused = rejectedErrors.map(({ recipient = '?', response = '' }) => `${recipient}: ${response}`);
  return `Not accepted for ${refused.join('; ')}`.slice(0, DETAIL_MAX_LENGTH);
}

/** Never the whole error: it can contain the password. */
function failureOf(error: unknown): EmailResult {
  const { code, responseCode, response } = error as { code?: string; responseCode?: number; response?: string };
  const detail = (response ?? code ?? 'unknown').slice(0, DETAIL_MAX_LENGTH);
  return { result: responseCode === undefined ? 'unreachable' : 'refused', detail };
}
