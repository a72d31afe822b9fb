import type { CauseCode } from './causes.ts';

/**
 * What Microsoft Entra's numbers mean on a client-credentials token request.
 *
 * Numbers that only a mistake of ours can bring about, or that leave the reason open, are missing on purpose: they end
 * as `unknown_refusal` with the number kept.
 */
export const entraCodes: Readonly<Record<string, CauseCode>> = {
  AADSTS7000215: 'secret_wrong',
  AADSTS7000222: 'secret_expired',
  AADSTS700027: 'certificate_wrong',
  AADSTS700024: 'certificate_wrong',
  AADSTS700021: 'certificate_wrong',
  AADSTS700213: 'certificate_wrong',
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
  // Ours, not Microsoft's: the record names a secret that the vault does not have.
  secret_not_in_vault: 'internal_error',
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

/** OAuth's own `error`, for numbers that are not in the table: only those that leave no choice. */
export const oauthErrors: Readonly<Record<string, CauseCode>> = {
  invalid_tenant: 'tenant_not_found',
  invalid_resource: 'service_missing',
  temporarily_unavailable: 'microsoft_unavailable',
};
