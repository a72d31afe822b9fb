import type { CauseCode } from './causes.ts';

/** The guides for admins, by their files in `docs/setup/`. */
export const guides = {
  'own-app': 'Your own app, for every mailbox',
  'own-app-scoped': 'Your own app, for one group',
  imap: 'IMAP',
  smtp: 'SMTP',
  certificate: 'A certificate in place of a client secret',
} as const;
type Guide = keyof typeof guides;

/** The guides that show the whole way to what a cause finds missing. */
export const guidesOf: Partial<Record<CauseCode, readonly Guide[]>> = {
  secret_wrong: ['own-app'],
  secret_id_pasted: ['own-app'],
  secret_expired: ['own-app', 'certificate'],
  secret_missing: ['own-app', 'certificate'],
  certificate_not_registered: ['certificate'],
  certificate_expired: ['certificate'],
  certificate_wrong: ['certificate'],
  certificate_missing: ['certificate'],
  app_not_found: ['own-app'],
  app_misconfigured: ['own-app'],
  service_principal_missing: ['own-app', 'own-app-scoped'],
  consent_missing: ['own-app', 'own-app-scoped', 'imap', 'smtp'],
  permission_missing: ['own-app', 'own-app-scoped', 'imap', 'smtp'],
  mailbox_out_of_scope: ['own-app-scoped'],
  access_policy_blocked: ['own-app-scoped'],
  imap_disabled: ['imap'],
  imap_access_missing: ['imap'],
  smtp_access_missing: ['smtp'],
  smtp_auth_disabled_mailbox: ['smtp'],
  smtp_auth_disabled_tenant: ['smtp'],
  send_as_denied: ['smtp'],
};
