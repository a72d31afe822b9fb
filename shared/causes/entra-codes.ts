import type { CauseCode } from './causes.ts';

/**
 * The cause for each error number that Microsoft Entra returns on a client-credentials token request.
 *
 * Two kinds of numbers are left out on purpose: those that only a bug of ours can cause, and those that leave the
 * reason open. They become `unknown_refusal`, and the finding keeps the number. The text of AADSTS700027 names the reason:
 * see `readSignature`.
 */
export const entraCodes: Readonly<Record<string, CauseCode>> = {
  AADSTS7000215: 'secret_wrong',
  AADSTS7000222: 'secret_expired',
  AADSTS700024: 'clock_wrong',
  AADSTS700021: 'certificate_wrong',
  AADSTS700211: 'certificate_wrong',
  AADSTS700212: 'certificate_wrong',
  AADSTS700213: 'certificate_wrong',
  AADSTS70025: 'certificate_wrong',
  AADSTS700016: 'app_not_found',
  AADSTS700011: 'app_not_found',
  AADSTS700038: 'app_not_found',
  AADSTS7000229: 'service_principal_missing',
  AADSTS7000112: 'app_disabled',
  AADSTS1000031: 'app_disabled',
  AADSTS700025: 'app_misconfigured',
  AADSTS650056: 'app_misconfigured',
  AADSTS650057: 'app_misconfigured',
  AADSTS90002: 'tenant_not_found',
  AADSTS900023: 'tenant_not_found',
  AADSTS90038: 'wrong_cloud',
  AADSTS900432: 'wrong_cloud',
  AADSTS900382: 'wrong_cloud',
  AADSTS53003: 'conditional_access_blocked',
  AADSTS530032: 'conditional_access_blocked',
  AADSTS530035: 'conditional_access_blocked',
  AADSTS65001: 'consent_missing',
  AADSTS500011: 'service_missing',
  AADSTS650052: 'service_missing',
  // Not from Microsoft: the connection names a credential that the vault does not release, or no longer signs with.
  secret_not_in_vault: 'secret_missing',
  certificate_not_in_vault: 'certificate_missing',
  made_certificate_expired: 'certificate_expired',
  admin_not_confirmed: 'admin_confirmation_missing',
  vendor_app_not_configured: 'vendor_app_unusable',
  AADSTS50196: 'throttled',
  AADSTS90055: 'throttled',
  AADSTS50000: 'microsoft_unavailable',
  AADSTS50033: 'microsoft_unavailable',
  AADSTS90006: 'microsoft_unavailable',
  AADSTS90012: 'microsoft_unavailable',
  AADSTS90024: 'microsoft_unavailable',
  AADSTS90033: 'microsoft_unavailable',
  AADSTS90090: 'microsoft_unavailable',
};

/** The OAuth `error`, for numbers that are not in the table. Only errors that have a single cause. */
export const oauthErrors: Readonly<Record<string, CauseCode>> = {
  invalid_tenant: 'tenant_not_found',
  invalid_resource: 'service_missing',
  temporarily_unavailable: 'microsoft_unavailable',
};

/** What a cause means if the app is the vendor's: the customer can fix neither its credential nor its registration. */
export const vendorAppCauses: Readonly<Partial<Record<CauseCode, CauseCode>>> = {
  secret_wrong: 'vendor_app_unusable',
  secret_expired: 'vendor_app_unusable',
  certificate_wrong: 'vendor_app_unusable',
  certificate_expired: 'vendor_app_unusable',
  certificate_not_registered: 'vendor_app_unusable',
  app_misconfigured: 'vendor_app_unusable',
  // The app exists, so it is the tenant that does not know it.
  app_not_found: 'service_principal_missing',
};
