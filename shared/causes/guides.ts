import type { CauseCode } from './causes.ts';

/** The guides for admins, by their files in `docs/setup/`. */
export const guides = {
  'own-app': 'Your own app, for every mailbox',
  'own-app-scoped': 'Your own app, for one group',
  imap: 'IMAP',
  smtp: 'SMTP',
  certificate: 'A certificate in place of a client secret',
  'service-app': 'The app of the service',
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
  admin_confirmation_missing: ['service-app'],
  app_not_found: ['own-app'],
  app_misconfigured: ['own-app'],
  service_principal_missing: ['own-app', 'own-app-scoped', 'service-app'],
  consent_missing: ['own-app', 'own-app-scoped', 'imap', 'smtp'],
  consent_declined: ['own-app', 'service-app'],
  consent_admin_required: ['own-app', 'service-app'],
  consent_wrong_account: ['service-app'],
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

/** The causes that depend on how the app was given access. `docs/scope.md` compares the ways. */
export const causesOfScope: ReadonlySet<CauseCode> = new Set([
  'consent_missing',
  'permission_missing',
  'mailbox_out_of_scope',
  'access_policy_blocked',
]);
