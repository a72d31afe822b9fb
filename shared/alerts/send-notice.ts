import { DomainError } from '../kernel/errors.ts';
import { type AlertSettings, type AlertSettingsStore, readAlertSettings } from './alert-settings.ts';
import { composeNotice } from './compose-notice.ts';
import type { EmailResult, EmailSender, EmailWay } from './email.ts';

export interface SendNoticeDeps {
  alertSettings: Pick<AlertSettingsStore, 'get'>;
  /** The customer's own mailbox, or why it cannot be used. */
  ownMailbox: (settings: AlertSettings) => Promise<EmailSender | { unusable: string }>;
  /** The mail server of the deployment; `undefined` if it has none. */
  mailServer: EmailSender | undefined;
}

/** How an attempt has ended, with who was written to, and which way has succeeded. */
export interface NoticeResult extends EmailResult {
  sentBy?: EmailWay;
  recipients?: string[];
}

/** Whether somebody gets e-mails of this customer. If there is no way to send them, the log of e-mails says so. */
export function wantsEmail(settings: AlertSettings): boolean {
  return settings.contacts.length > 0;
}

/**
 * Sends the e-mail about an event to the contacts of a customer: from the customer's own mailbox, or by the mail server of
 * the deployment if that fails. An expired credential cannot send from its own tenant, so the second way matters.
 */
export async function sendNotice(
  deps: SendNoticeDeps,
  { customerId, id, body }: { customerId: string; id: string; body: string },
): Promise<NoticeResult> {
  const settings = await readAlertSettings(deps, customerId);
  const email = composeNotice(body);
  const { contacts: recipients } = settings;
  if (!email || recipients.length === 0) return { result: 'succeeded', detail: 'Nobody wants this e-mail.' };
  const own = settings.sendFrom && (await deps.ownMailbox(settings).catch(ifTransient));
  const failures: string[] = [];
  if (own && 'unusable' in own) failures.push(`Your mailbox: ${own.unusable}`);
  const ways: { sentBy: EmailWay; name: string; sender: EmailSender | undefined }[] = [
    { sentBy: 'ownMailbox', name: 'Your mailbox', sender: own && 'send' in own ? own : undefined },
    { sentBy: 'mailServer', name: 'The mail server', sender: deps.mailServer },
  ];
  let last: EmailResult = { result: 'refused' };
  for (const { sentBy, name, sender } of ways) {
    if (!sender) continue;
    last = await sender.send(recipients, email, id);
    if (last.detail !== undefined) failures.push(`${name}: ${last.detail}`);
    if (last.result === 'succeeded') return { ...withDetail(last, failures), sentBy, recipients };
  }
  if (!deps.mailServer) failures.push(own ? 'This deployment has no mail server.' : NO_WAY);
  return { ...withDetail(last, failures), recipients };
}

const NO_WAY = 'There is no way to send e-mail: this deployment has no mail server, and you have set no mailbox.';

function withDetail({ result }: EmailResult, failures: readonly string[]): EmailResult {
  return { result, ...(failures.length > 0 && { detail: failures.join(' ') }) };
}

/** If the vault or Microsoft is unavailable, the next way is tried. */
function ifTransient(error: unknown): { unusable: string } {
  if (error instanceof DomainError) return { unusable: error.message };
  throw error;
}
