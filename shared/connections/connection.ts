import type { ConnectionFinding, Probe } from '../causes/verdict.ts';

/** Which of Microsoft's clouds a tenant lives in; `simulator` only where the configuration names one. */
export const clouds = ['global', 'usgov', 'usgovdod', 'china', 'simulator'] as const;
export type Cloud = (typeof clouds)[number];

export type ConnectionStatus = 'awaitingConsent' | 'ready' | 'failing' | 'disconnected';
export type SendProbe = 'noDelivery' | 'selfAddressed' | 'none';
export type ClientSecretState = 'valid' | 'expiring' | 'expired';

/** A customer's permission to reach one Microsoft 365 tenant. The client secret itself lies in the vault only. */
export interface Connection {
  id: string;
  customerId: string;
  name: string;
  cloud: Cloud;
  /** The tenant's GUID, lower case. */
  tenantId: string;
  /** The domain by which the customer named the tenant, when it was not the GUID. */
  tenantDomain?: string;
  clientId: string;
  /** Which version of the vault's secret `{id}` is in use; a new one makes every cached token of this connection stale. */
  clientSecretVersion: string;
  clientSecretExpiresAt: Date;
  /** As the daily timer last marked it. */
  clientSecretState: ClientSecretState;
  probes: Probe[];
  sendProbe: SendProbe;
  defaultMailbox?: string;
  status: ConnectionStatus;
  /** Why it is `failing`. */
  finding?: ConnectionFinding;
  consentedAt?: Date;
  /** When the consent, the credential or the grants last changed, as far as we know: refusals soon after may be propagation. */
  grantsChangedAt: Date;
  /** When the last test that passed began: tokens from before may lack what was granted since, refusals are out of date. */
  provenAt?: Date;
  /** While its grants make their way, nothing is asked of Microsoft before this instant. */
  quietUntil?: Date;
  createdAt: Date;
}

/** Whether a test of the connection has passed since something was asked. */
export function isOutOfDate({ provenAt }: Connection, askedAt: Date): boolean {
  return provenAt !== undefined && askedAt < provenAt;
}
