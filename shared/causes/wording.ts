import type { CauseCode } from './causes.ts';
import { imapCodes } from './imap-codes.ts';
import type { Refusal } from './refusal.ts';

// The only file that reads the text of Microsoft's messages instead of their codes. It does so where one code has
// several causes, or where a protocol has no codes. test/fixtures has a recorded example of every text.

/**
 * Part of `ErrorAccessDenied` if an application access policy, or an allow or block list of the organization, applies.
 */
const ODATA_DISABLED = /access to odata is disabled/i;

export function isBlockedByPolicy(refusal: Refusal): boolean {
  return ODATA_DISABLED.test(refusal.message);
}

/** Part of AADSTS90093 and AADSTS90094 if a setting of the organization lets only administrators consent. */
export function isConsentPolicy(description: string): boolean {
  return /has set a policy that prevents you from granting/i.test(description);
}

/** Of AADSTS700027: `[Reason - The key was not found., Thumbprint of key used by client: '…'`. */
export function readSignature({ message }: Refusal): CauseCode {
  if (/\[Reason - The key was not found/i.test(message)) return 'certificate_not_registered';
  if (/\[Reason - The key used is expired/i.test(message)) return 'certificate_expired';
  return 'certificate_wrong';
}

/**
 * IMAP answers `NO` or `BAD` for every error. A response code says more than the text, which each server words in its
 * own way.
 */
export function readImap(refusal: Refusal): CauseCode {
  const byCode = Object.hasOwn(imapCodes, refusal.innerCode ?? '') && imapCodes[refusal.innerCode ?? ''];
  if (byCode) return byCode;
  if (/authenticated but not connected/i.test(refusal.message)) return 'imap_disabled';
  if (/authenticate failed/i.test(refusal.message)) return 'imap_access_missing';
  if (/request is throttled/i.test(refusal.message)) return 'throttled';
  if (/server unavailable|server is not ready/i.test(refusal.message)) return 'microsoft_unavailable';
  return 'unknown_refusal';
}

/** Of SMTP's enhanced status codes, 5.7.139 and 4.3.2 have several causes. */
export function readSmtp(refusal: Refusal): CauseCode {
  switch (refusal.code) {
    case '5.7.139':
      if (/SmtpClientAuthentication is disabled for the Tenant/i.test(refusal.message))
        return 'smtp_auth_disabled_tenant';
      if (/SmtpClientAuthentication is disabled for the Mailbox/i.test(refusal.message))
        return 'smtp_auth_disabled_mailbox';
      return 'unknown_refusal';
    case '5.7.3':
      return 'smtp_access_missing';
    case '5.7.60':
      return 'send_as_denied';
    case '5.1.8':
    case '5.7.705':
    case '5.7.750':
      return 'sending_blocked';
    case '4.3.2':
      return /concurrent connections|thread limit/i.test(refusal.message) ? 'throttled' : 'microsoft_unavailable';
    default:
      return refusal.status >= 400 && refusal.status < 500 ? 'microsoft_unavailable' : 'unknown_refusal';
  }
}
