import type { ConnectionFinding, Probe } from '../causes/verdict.ts';
import type {
  CertificateCredential,
  Credential,
  CredentialState,
  OwnCredential,
  PreviousCredential,
} from './credentials/credential.ts';
import type { RegistrationView } from './expiry/app-registration.ts';
import type { SecretAlert } from './expiry/secret-alert.ts';
import type { ScopeCheck } from './grants/scope-check.ts';
import type { ConnectionHappening } from './happenings.ts';
import type { LastTest } from './readiness/connection-test.ts';

/** Microsoft's clouds. `simulator` exists only if the configuration names its endpoints. */
export const clouds = ['global', 'usgov', 'usgovdod', 'china', 'simulator'] as const;
export type Cloud = (typeof clouds)[number];

export const connectionStatuses = ['awaitingConsent', 'ready', 'failing', 'disconnected'] as const;
type ConnectionStatus = (typeof connectionStatuses)[number];

/**
 * How the right to send is proved: by a message without recipients, which Microsoft refuses to deliver, by a message
 * from the mailbox to itself, or not at all.
 */
export const sendProbes = ['noDelivery', 'selfAddressed', 'none'] as const;
export type SendProbe = (typeof sendProbes)[number];

/** A customer's permission to reach one Microsoft 365 tenant. The credential itself is in the vault only. */
export interface Connection {
  id: string;
  customerId: string;
  name: string;
  cloud: Cloud;
  /** The tenant's GUID, lower case. */
  tenantId: string;
  /** The domain that the customer gave for the tenant. Absent if the customer gave the GUID. */
  tenantDomain?: string;
  /**
   * Every verified domain of the tenant, in lower case, as of the last test that passed. Absent if that test could not read
   * them, or if they are too many to store.
   */
  verifiedDomains?: string[];
  /** The customer's own app, or the vendor's. */
  clientId: string;
  /**
   * An admin of the tenant has signed in and confirmed that this customer may use it. Only with the vendor's app, and
   * required for it: other customers use the same app, so the consent of the tenant does not say which of them may.
   */
  adminConfirmation?: AdminConfirmation;
  /** The credential in use. A new version makes all cached tokens stale. */
  credential: Credential;
  /** As of the last run of the daily timer. */
  credentialState: CredentialState;
  /** When the credential in use was put into use, if it has replaced another one. */
  credentialChangedAt?: Date;
  /** The credential that was in use before. It can be brought back until `removeAt`. */
  previousCredential?: PreviousCredential;
  /** A certificate that was made to replace the credential, and is not in use yet. */
  nextCertificate?: CertificateCredential;
  probes: Probe[];
  sendProbe: SendProbe;
  defaultMailbox?: string;
  status: ConnectionStatus;
  /** Why the connection is `failing`. While it awaits consent: what its last test has found, or that consent was declined. */
  finding?: ConnectionFinding;
  /** The result of the last test. */
  lastTest?: LastTest;
  consentedAt?: Date;
  /** The last change of consent, credential or grants that we know of. Refusals soon after it may be propagation. */
  grantsChangedAt: Date;
  /** When the last test that passed began. Older tokens may lack newer grants, and older refusals are out of date. */
  provenAt?: Date;
  /** The end of the quiet period: while grants propagate, no mailbox but the canary is checked before this instant. */
  checksHeldUntil?: Date;
  /** What people were told about the expiry of the credential. Absent before the daily timer has seen it. */
  secretAlert?: SecretAlert;
  /** What Microsoft Entra has shown about the client secret. Absent before it was asked. */
  registration?: RegistrationView;
  /** The result of the last scope check. */
  lastScopeCheck?: ScopeCheck;
  /** What has happened and no webhook knows yet. Written together with what it tells. */
  happenings?: readonly ConnectionHappening[];
  createdAt: Date;
}

export interface AdminConfirmation {
  at: Date;
  /** The object ID of the admin in the tenant. */
  adminId: string;
}

/** A connection through an app of the customer's own, with a credential of its own. */
export type OwnConnection = Connection & { credential: OwnCredential };

/** Whether the app is the customer's own. If not, it is the vendor's. A connection never changes from one to the other. */
export function hasOwnApp(connection: Connection): connection is OwnConnection {
  return connection.credential.kind !== 'deployment';
}

/** Whether a test that passed began after this instant. */
export function hasPassedTestSince({ provenAt }: Connection, instant: Date): boolean {
  return provenAt !== undefined && instant < provenAt;
}
