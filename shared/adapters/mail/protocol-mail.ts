import type { Answer, MailboxAccess } from '../../checks/answer.ts';
import type { ProtocolMail } from '../../checks/protocol-mail.ts';
import type { Cloud } from '../../connections/connection.ts';
import { type MailServer, probeImap } from './imap-probe.ts';
import { probeSmtp } from './smtp-probe.ts';

interface Deps {
  clouds: (cloud: Cloud) => { imap: MailServer | undefined; smtp: MailServer | undefined };
  /** The timeout of one whole session. */
  timeoutMs: number;
}

/** Mailboxes through imapflow and nodemailer. See `ProtocolMail`. */
export function protocolMail({ clouds, timeoutMs }: Deps): ProtocolMail {
  const noServer = (service: 'imap' | 'smtp'): Answer => ({
    kind: 'refused',
    refusal: { service, status: 0, code: 'noServer', message: 'This cloud has no known server.' },
  });
  return {
    async imap({ cloud, address, token }: MailboxAccess) {
      const { imap } = clouds(cloud);
      return imap ? probeImap(imap, address, token, timeoutMs) : noServer('imap');
    },
    async smtp({ cloud, address, token }: MailboxAccess) {
      const { smtp } = clouds(cloud);
      return smtp ? probeSmtp(smtp, address, token, timeoutMs) : noServer('smtp');
    },
  };
}
