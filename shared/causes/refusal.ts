/** Which service of Microsoft's said no. */
export type RefusingService = 'entra' | 'graph' | 'imap' | 'smtp';

/**
 * Microsoft's no, as it came: translated from the wire by an adapter, judged by `classify`.
 *
 * Nothing in it is secret; `message` may hold an address and is kept out of logs.
 */
export interface Refusal {
  service: RefusingService;
  /** HTTP status, or the SMTP reply code; 0 for IMAP. */
  status: number;
  /** `AADSTS7000215`, `ErrorAccessDenied`, `5.7.139`, `NO`; empty when Microsoft gave none. */
  code: string;
  /** A more precise code within Microsoft's answer, where there is one. */
  innerCode?: string;
  /** The family that the code belongs to, where the service names one: OAuth's `invalid_client`. */
  family?: string;
  message: string;
  requestId?: string;
  retryAfterSeconds?: number;
}
