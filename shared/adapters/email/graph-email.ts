import type { EmailSender } from '../../alerts/email.ts';
import type { Secret } from '../../kernel/secret.ts';
import { cutCode } from '../refused.ts';

/**
 * Sends from a mailbox of the customer's tenant, as MIME, because Graph's JSON has either text or HTML.
 * https://learn.microsoft.com/graph/outlook-send-mime-message
 */
export function graphEmail(options: {
  graphUrl: string;
  token: Secret;
  address: string;
  timeoutMs: number;
}): EmailSender {
  const { graphUrl, token, address, timeoutMs } = options;
  return {
    async send(to, { subject, text, html }, id) {
      const { createTransport } = await import('./nodemailer.ts');
      const composer = createTransport({ streamTransport: true, buffer: true });
      const domain = address.split('@').at(-1) ?? 'localhost';
      const messageId = `<${id}@${domain}>`;
      const { message } = await composer.sendMail({ from: address, to: [...to], subject, text, html, messageId });
      const url = `${graphUrl.replace(/\/$/, '')}/v1.0/users/${encodeURIComponent(address)}/sendMail`;
      try {
        const response = await fetch(url, {
          method: 'POST',
          headers: { authorization: `Bearer ${token.reveal()}`, 'content-type': 'text/plain' },
          body: Buffer.from(message as Buffer).toString('base64'),
          signal: AbortSignal.timeout(timeoutMs),
        });
        if (response.status === 202) return { result: 'succeeded' };
        const answer = (await response.json().catch(() => ({}))) as { error?: { code?: string } };
        return { result: 'refused', detail: cutCode(`${response.status} ${answer.error?.code ?? ''}`) };
      } catch (error) {
        return { result: 'unreachable', detail: (error as Error).name };
      }
    },
  };
}
