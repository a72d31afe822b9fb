/** A reply in Exchange's wording. `text` starts with the enhanced status code. */
export interface SmtpReply {
  code: number;
  text: string;
}

export const serverName = 'AM0PR04CA0042.eurprd04.prod.outlook.com';

/** Most refusals end with the server's name, so that Microsoft's support can find the server. */
const refusal = (code: number, text: string): SmtpReply => ({ code, text: `${text} [${serverName.toUpperCase()}]` });
const learnMore = 'Visit https://aka.ms/smtp_auth_disabled for more information.';

export const unsuccessful = refusal(535, '5.7.3 Authentication unsuccessful');
export const disabledForTenant = refusal(
  535,
  `5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. ${learnMore}`,
);
export const disabledForMailbox = refusal(
  535,
  `5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox. ${learnMore}`,
);
export const notAuthenticated = refusal(530, '5.7.57 Client not authenticated to send mail.');
export const notThisSender = refusal(550, '5.7.60 SMTP; Client does not have permissions to send as this sender');
export const tooManyConnections: SmtpReply = {
  code: 432,
  text: `4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending for more information. [Hostname=${serverName}]`,
};
export const threadLimit: SmtpReply = {
  code: 432,
  text: `4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded [Hostname=${serverName}]`,
};
export const unavailable: SmtpReply = {
  code: 421,
  text: '4.3.2 Service not available, closing transmission channel',
};
export const tooLarge: SmtpReply = { code: 552, text: '5.3.4 Message size exceeds fixed maximum message size' };

/** Refusals of a password, by the state of basic authentication in the organization. */
export const basicRefusals = {
  disabled: refusal(535, '5.7.139 Authentication unsuccessful, basic authentication is disabled.'),
  securityDefaults: refusal(
    535,
    "5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator.",
  ),
  retired: refusal(550, '5.7.30 Basic authentication is not supported for Client Submission.'),
} as const;

const moreAt = (link: number) => `For more information please go to http://go.microsoft.com/fwlink/?LinkId=${link}`;

/** Refusals for an organization that may not send. */
export const blockedSending = {
  '5.7.705': refusal(550, `5.7.705 Access denied, tenant has exceeded threshold. ${moreAt(526653)}`),
  '5.7.750': refusal(550, '5.7.750 Service unavailable. Client blocked from sending from unregistered domains.'),
} as const;

export type Step = 'auth' | 'mail' | 'rcpt' | 'data';

interface KnownReply {
  reply: SmtpReply;
  /** The command that is refused unless the scenario says otherwise. Microsoft does not document it for faults of the sender. */
  at: Step;
}

/** Refusals by enhanced status code, for mailbox faults. */
export const knownReplies: Record<string, KnownReply> = {
  '5.7.3': { reply: unsuccessful, at: 'auth' },
  '5.7.139': { reply: disabledForTenant, at: 'auth' },
  '5.7.30': { reply: basicRefusals.retired, at: 'auth' },
  '5.7.57': { reply: notAuthenticated, at: 'mail' },
  '5.7.60': { reply: notThisSender, at: 'mail' },
  '5.1.8': { reply: refusal(550, `5.1.8 Access denied, bad outbound sender. ${moreAt(875724)}`), at: 'mail' },
  '5.7.705': { reply: blockedSending['5.7.705'], at: 'mail' },
  '5.7.750': { reply: blockedSending['5.7.750'], at: 'mail' },
  '4.3.2': { reply: tooManyConnections, at: 'mail' },
};

/** The refusal for an enhanced status code. A scenario can change its code and text, or name a code not in the table. */
export function replyOf(
  enhanced: string,
  overrides: { status?: number | undefined; message?: string | undefined },
): SmtpReply {
  const known = knownReplies[enhanced]?.reply;
  const code = overrides.status ?? known?.code ?? (enhanced.startsWith('4') ? 451 : 550);
  if (overrides.message === undefined && known) return { ...known, code };
  return refusal(code, `${enhanced} ${overrides.message ?? 'The request was refused.'}`);
}
