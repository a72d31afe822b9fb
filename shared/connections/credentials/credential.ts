import type { CauseCode } from '../../causes/causes.ts';
import type { Connection } from '../connection.ts';
import type { Certificate } from './certificate.ts';

/** What the customer's own app proves itself with. */
export const credentialKinds = ['clientSecret', 'certificate'] as const;
export type CredentialKind = (typeof credentialKinds)[number];

/** For sentences. */
export const credentialNames: Record<CredentialKind, string> = {
  clientSecret: 'client secret',
  certificate: 'certificate',
};

export const credentialStates = ['valid', 'expiring', 'expired'] as const;
export type CredentialState = (typeof credentialStates)[number];

/** A client secret. Its Value is in the vault, under this version. */
export interface ClientSecretCredential {
  kind: 'clientSecret';
  version: string;
  expiresAt: Date;
}

/** A certificate. Its private key is in the vault, under this version. */
export interface CertificateCredential {
  kind: 'certificate';
  version: string;
  /** Read from the certificate. */
  expiresAt: Date;
  certificate: Certificate;
}

/** A credential that belongs to one connection. A new one gets a new version. */
export type OwnCredential = ClientSecretCredential | CertificateCredential;

/**
 * The credential of the vendor's app. It belongs to the deployment, which serves all its connections with it. The
 * customer neither sees it nor replaces it, so it has no date here.
 */
export interface DeploymentCredential {
  kind: 'deployment';
  version: 'deployment';
}

export const deploymentCredential: DeploymentCredential = { kind: 'deployment', version: 'deployment' };

export type Credential = OwnCredential | DeploymentCredential;

/** A credential that was replaced. Instances that have not noticed yet still use it. */
export type PreviousCredential = OwnCredential & {
  /** From then on, the vault need not keep it. */
  removeAt: Date;
};

const DAY_MS = 86_400_000;

/** Whole days until a credential expires, rounded down. Negative if it has expired. */
export function daysLeft(expiresAt: Date, now: Date): number {
  return Math.floor((expiresAt.getTime() - now.getTime()) / DAY_MS);
}

export function credentialState(expiresAt: Date, now: Date, expiringWithinDays: number): CredentialState {
  if (expiresAt <= now) return 'expired';
  return expiresAt.getTime() - now.getTime() <= expiringWithinDays * DAY_MS ? 'expiring' : 'valid';
}

/** The same for a connection: what Microsoft says counts more than the date that somebody typed. */
export function credentialStateOf(
  { credential, finding }: Pick<Connection, 'credential' | 'finding'>,
  now: Date,
  expiringWithinDays: number,
): CredentialState {
  if (credential.kind === 'deployment') return 'valid';
  if (finding && expiredCauses.has(finding.cause)) return 'expired';
  return credentialState(credential.expiresAt, now, expiringWithinDays);
}

const expiredCauses: ReadonlySet<CauseCode> = new Set(['secret_expired', 'certificate_expired']);

/** What is wrong with a credential. A new credential ends it. */
export const credentialCauses: ReadonlySet<string> = new Set<CauseCode>([
  'secret_wrong',
  'secret_expired',
  'secret_missing',
  'certificate_wrong',
  'certificate_expired',
  'certificate_not_registered',
  'certificate_missing',
]);
