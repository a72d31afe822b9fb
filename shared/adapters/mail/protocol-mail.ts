import type { Answer, MailboxAccess } from '../../checks/answer.ts';
import type { ProtocolMail } from '../../checks/protocol-mail.ts';
import type { Cloud } from '../../connections/connection.ts';
import type { MailServer } from './imap-probe.ts';

interface Deps {
  clouds: (cloud: Cloud) => { imap: MailServer | undefined; smtp: MailServer | undefined };
  /** The timeout of one whole session. */
  timeoutMs: number;
}

/** Mailboxes through imapflow and nodemailer, which few connections need, so they are loaded late. See `ProtocolMail`. */
export function protocolMail({ clouds, timeoutMs }: Deps): ProtocolMail {
  const noServer = (service: 'imap' | 'smtp'): Answer => ({
    kind: 'refused',
    refusal: { service, status: 0, code: 'noServer', message: 'This cloud has no known server.' },
  });
  return {
    async imap({ cloud, address, token }: MailboxAccess) {
      const { imap } = clouds(cloud);
      if (!imap) return noServer('imap');
      const { probeImap } = await import('./imap-probe.ts');
      return probeImap(imap, address, token, timeoutMs);
    },
    async smtp({ cloud, address, token }: MailboxAccess) {
      const { smtp } = clouds(cloud);
      if (!smtp) return noServer('smtp');
      const { probeSmtp } = await import('./smtp-probe.ts');
      return probeSmtp(smtp, address, token, timeoutMs);
    },
  };
}
