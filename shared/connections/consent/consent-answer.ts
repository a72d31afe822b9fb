import { type CauseCode, causes } from '../../causes/causes.ts';
import { classify, isWaitCause } from '../../causes/classify.ts';
import { isConsentPolicy } from '../../causes/wording.ts';

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
  /** A setting of the organization lets only administrators grant consent. */
  | 'onlyAdmins'
  /** The account is from another organization. */
  | 'foreignAccount'
  /** A policy of the organization blocked the account. */
  | 'blockedByPolicy'
  | 'refused';

export interface Decline {
  why: DeclineReason;
  /** What is wrong, in one sentence. */
  sentence: string;
  cause: CauseCode;
  /** Whether the app or the tenant is the problem, so that nobody can grant consent. */
  isOfApp: boolean;
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
  AADSTS900941: 'needsAdmin',
  AADSTS50020: 'foreignAccount',
  AADSTS50034: 'foreignAccount',
  AADSTS51004: 'foreignAccount',
  AADSTS500200: 'foreignAccount',
  AADSTS90072: 'foreignAccount',
  AADSTS50105: 'blockedByPolicy',
  AADSTS53000: 'blockedByPolicy',
  AADSTS53001: 'blockedByPolicy',
  AADSTS53002: 'blockedByPolicy',
  AADSTS53003: 'blockedByPolicy',
  AADSTS53004: 'blockedByPolicy',
  AADSTS53009: 'blockedByPolicy',
  AADSTS530032: 'blockedByPolicy',
  AADSTS530035: 'blockedByPolicy',
};

const causeByReason: Readonly<Record<DeclineReason, CauseCode>> = {
  cancelled: 'consent_declined',
  needsAdmin: 'consent_admin_required',
  onlyAdmins: 'consent_admin_required',
  foreignAccount: 'consent_wrong_account',
  blockedByPolicy: 'consent_blocked_by_policy',
  refused: 'consent_declined',
};

/** The causes of an answer that a new one replaces. */
export const declineCauses: ReadonlySet<CauseCode> = new Set(Object.values(causeByReason));

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
  onlyAdmins:
    'A policy of the organization lets only administrators grant consent. The account that you used is not one.',
  foreignAccount: 'The account that you used is not an account of the organization that the connection is for.',
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
  const cause = isOfApp ? known : causeByReason[why];
  const sentence = isOfApp ? causes[known].sentence : sentences[why];
  return { kind: 'declined', why, cause, isOfApp, sentence, ...withCode };
}

function reasonOf(
  { error, errorDescription = '', errorSubcode }: ConsentCallback,
  code: string | undefined,
): DeclineReason {
  if (code !== undefined) {
    const reason = (Object.hasOwn(reasonByCode, code) && reasonByCode[code]) || 'refused';
    return reason === 'needsAdmin' && isConsentPolicy(errorDescription) ? 'onlyAdmins' : reason;
  }
  // `permission_denied` comes from the older address without `v2.0`.
  const isCancel = errorSubcode === 'cancel' || error === 'access_denied' || error === 'permission_denied';
  return isCancel ? 'cancelled' : 'refused';
}
