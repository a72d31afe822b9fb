/**
 * An error answer from Microsoft. An adapter parses it, and `classify` finds its cause.
 *
 * It contains no secret. `message` may contain an address, so it is never logged.
 */
export interface Refusal {
  service: 'entra' | 'graph' | 'imap' | 'smtp';
  /** The HTTP status or the SMTP reply code; 0 for IMAP. */
  status: number;
  /** Such as `AADSTS7000215`, `ErrorAccessDenied`, `5.7.139` or `NO`; empty if Microsoft sent none. */
  code: string;
  /** A more specific code inside Microsoft's answer. */
  innerCode?: string;
  /** The OAuth error that the code belongs to, such as `invalid_client`. */
  family?: string;
  message: string;
  requestId?: string;
  /** The vendor's app was refused, whose credential and registration are not the customer's. */
  isOfVendorApp?: true;
  retryAfterSeconds?: number;
}
