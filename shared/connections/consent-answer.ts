import { type CauseCode, causes } from '../causes/causes.ts';
import { classify, isWaitCause } from '../causes/classify.ts';

/** The query that the admin's browser brings back from Microsoft. Every field may be missing or forged. */
export interface ConsentCallback {
  state?: string | undefined;
  tenant?: string | undefined;
  error?: string | undefined;
  errorDescription?: string | undefined;
  errorSubcode?: string | undefined;
  adminConsent?: string | undefined;
}

/** Why consent was not granted, as far as Microsoft says. */
export type DeclineReason =
  | 'cancelled'
  /** The account may not grant consent for the whole organization. */
  | 'needsAdmin'
  /** The account is from another organization. */
  | 'foreignAccount'
  /** A policy of the organization blocked the account. */
  | 'blockedByPolicy'
  | 'refused';

export interface Decline {
  why: DeclineReason;
  /** What is wrong, in one sentence. */
  sentence: string;
  /** Not `consent_declined` if the app or the tenant is the problem: then nobody can grant consent. */
  cause: CauseCode;
  /** AADSTS and a number. */
  microsoftCode?: string;
}

export type ConsentAnswer =
  | { kind: 'granted'; tenantId: string }
  | ({ kind: 'declined' } & Decline)
  /** Microsoft was unavailable, and nobody has decided anything. */
  | { kind: 'unfinished'; microsoftCode?: string }
  /** It does not say what was decided. */
  | { kind: 'incomplete' };

/** https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
const reasonByCode: Readonly<Record<string, DeclineReason>> = {
  AADSTS65004: 'cancelled',
  AADSTS90093: 'needsAdmin',
  AADSTS90094: 'needsAdmin',
  AADSTS90095: 'needsAdmin',
  AADSTS50020: 'foreignAccount',
  AADSTS90072: 'foreignAccount',
  AADSTS50105: 'blockedByPolicy',
  AADSTS53000: 'blockedByPolicy',
  AADSTS53001: 'blockedByPolicy',
  AADSTS53002: 'blockedByPolicy',
  AADSTS53003: 'blockedByPolicy',
  AADSTS530032: 'blockedByPolicy',
  AADSTS530035: 'blockedByPolicy',
};

/** Problems of the app or the tenant, which keep everyone from granting consent. */
const appCauses: ReadonlySet<CauseCode> = new Set([
  'app_not_found',
  'app_misconfigured',
  'app_disabled',
  'service_missing',
  'tenant_not_found',
  'tenant_blocked',
  'wrong_cloud',
]);

const sentences: Record<DeclineReason, string> = {
  // Microsoft gives the same answer to an account that may not consent and takes the way back.
  cancelled: 'The request was canceled, or the account that you used cannot grant consent for the whole organization.',
  needsAdmin: 'The account that you used cannot grant consent for the whole organization.',
  foreignAccount: 'The account that you used belongs to another organization.',
  blockedByPolicy: 'A policy of the organization blocked the account that you used.',
  refused: 'Microsoft did not accept the consent.',
};

/**
 * Reads what Microsoft answered to a request for consent. The error decides, because Microsoft also sends
 * `admin_consent=True` with errors. https://learn.microsoft.com/entra/identity-platform/v2-admin-consent
 */
export function readConsentAnswer(callback: ConsentCallback): ConsentAnswer {
  const { error, errorDescription = '', adminConsent, tenant } = callback;
  if (!error) {
    const isGranted = adminConsent?.toLowerCase() === 'true' && Boolean(tenant);
    return isGranted && tenant ? { kind: 'granted', tenantId: tenant.toLowerCase() } : { kind: 'incomplete' };
  }
  const code = /AADSTS\d{1,20}/.exec(errorDescription)?.[0];
  const withCode = code !== undefined && { microsoftCode: code };
  const known = classify({ service: 'entra', status: 400, code: code ?? '', family: error, message: '' });
  if (error === 'server_error' || isWaitCause(known)) return { kind: 'unfinished', ...withCode };
  const why = reasonOf(callback, code);
  const isOfApp = why === 'refused' && appCauses.has(known);
  const cause = isOfApp ? known : 'consent_declined';
  return { kind: 'declined', why, cause, sentence: isOfApp ? causes[known].sentence : sentences[why], ...withCode };
}

function reasonOf({ error, errorSubcode }: ConsentCallback, code: string | undefined): DeclineReason {
  if (code !== undefined) return (Object.hasOwn(reasonByCode, code) && reasonByCode[code]) || 'refused';
  // `permission_denied` comes from the older address without `v2.0`.
  const isCancel = errorSubcode === 'cancel' || error === 'access_denied' || error === 'permission_denied';
  return isCancel ? 'cancelled' : 'refused';
}
