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
        await transport.sendMail({ from, to: [...to], subject, text, html, headers, messageId: `<${id}@${domain}>` });
        return { result: 'succeeded' };
      } catch (error) {
        return failureOf(error);
      }
    },
  };
}

/** Never the whole error: it can contain the password. */
function failureOf(error: unknown): EmailResult {
  const { code, responseCode, response } = error as { code?: string; responseCode?: number; response?: string };
  const detail = (response ?? code ?? 'unknown').slice(0, DETAIL_MAX_LENGTH);
  return { result: responseCode === undefined ? 'unreachable' : 'refused', detail };
}
