import { DomainError } from '../kernel/errors.ts';
import { type AlertSettings, type AlertSettingsStore, readAlertSettings } from './alert-settings.ts';
import { composeNotice } from './compose-notice.ts';
import type { EmailResult, EmailSender } from './email.ts';

export interface SendNoticeDeps {
  alertSettings: Pick<AlertSettingsStore, 'get'>;
  /** The customer's own mailbox; `undefined` if it cannot be used. */
  ownMailbox: (settings: AlertSettings) => Promise<EmailSender | undefined>;
  /** The mail server of the deployment; `undefined` if it has none. */
  mailServer: EmailSender | undefined;
}

/** Whether somebody gets e-mails of this customer, and there may be a way to send them. */
export function wantsEmail({ mailServer }: Pick<SendNoticeDeps, 'mailServer'>, settings: AlertSettings): boolean {
  return settings.contacts.length > 0 && (settings.sendFrom !== undefined || mailServer !== undefined);
}

/**
 * Sends the e-mail about an event to the contacts of a customer: from the customer's own mailbox, or by the mail server of
 * the deployment if that fails. An expired client secret cannot send from its own tenant, so the second way matters.
 */
export async function sendNotice(
  deps: SendNoticeDeps,
  { customerId, id, body }: { customerId: string; id: string; body: string },
): Promise<EmailResult> {
  const settings = await readAlertSettings(deps, customerId);
  const email = composeNotice(body);
  if (!email || settings.contacts.length === 0) return { result: 'succeeded', detail: 'Nobody wants this e-mail.' };
  const own = settings.sendFrom && (await deps.ownMailbox(settings).catch(ifTransient));
  const ways = [own, deps.mailServer].filter((way) => way !== undefined);
  let last: EmailResult = { result: 'refused', detail: 'There is no way to send e-mail.' };
  for (const way of ways) {
    last = await way.send(settings.contacts, email, id);
    if (last.result === 'succeeded') return last;
  }
  return last;
}

/** If the vault or Microsoft is unavailable, the next way is tried. */
function ifTransient(error: unknown): undefined {
  if (error instanceof DomainError) return undefined;
  throw error;
}
