import { type Api, dataOf, initOf, type PageOptions, type PostOptions, type RequestOptions } from './api.ts';
import { pages } from './pages.ts';
import type { AlertEmail, ExpiryAlerts } from './types.ts';

/** The new settings. Without `sendFrom`, the mail server of the deployment sends the e-mails. */
export type NewExpiryAlerts = Omit<ExpiryAlerts, 'sendFrom'> & Partial<Pick<ExpiryAlerts, 'sendFrom'>>;

export interface AlertEmailListOptions extends PageOptions {
  status?: AlertEmail['status'];
}

/** Who is told about expiring client secrets, and what became of the e-mails. */
export interface ExpiryAlertSettings {
  get(options?: RequestOptions): Promise<ExpiryAlerts>;
  /** Replaces all settings. */
  update(settings: NewExpiryAlerts, options?: RequestOptions): Promise<ExpiryAlerts>;
  /** The e-mails to the contacts, newest first. */
  emails(options?: AlertEmailListOptions): AsyncIterable<AlertEmail>;
  email(emailId: string, options?: RequestOptions): Promise<AlertEmail>;
  /** Sends a test e-mail to the contacts. Its attempts show whether it has arrived. */
  sendTestEmail(options?: PostOptions): Promise<AlertEmail>;
  resendEmail(emailId: string, options?: PostOptions): Promise<AlertEmail>;
}

export function createExpiryAlerts({ raw }: Api): ExpiryAlertSettings {
  return {
    get: (options = {}) => dataOf(raw.GET('/v1/expiry-alerts', initOf(options))),

    update: ({ sendFrom = null, ...settings }, options = {}) =>
      dataOf(raw.PUT('/v1/expiry-alerts', { body: { ...settings, sendFrom }, ...initOf(options) })),

    emails: ({ pageSize, status, ...options } = {}) =>
      pages<AlertEmail>((cursor) =>
        dataOf(
          raw.GET('/v1/expiry-alerts/emails', {
            params: { query: { ...cursor, ...(status && { status }), ...(pageSize && { limit: pageSize }) } },
            ...initOf(options),
          }),
        ),
      ),

    email: (emailId, options = {}) =>
      dataOf(raw.GET('/v1/expiry-alerts/emails/{emailId}', { params: { path: { emailId } }, ...initOf(options) })),

    sendTestEmail: (options = {}) => dataOf(raw.POST('/v1/expiry-alerts/emails', initOf(options))),

    resendEmail: (emailId, options = {}) =>
      dataOf(
        raw.POST('/v1/expiry-alerts/emails/{emailId}/resend', { params: { path: { emailId } }, ...initOf(options) }),
      ),
  };
}
