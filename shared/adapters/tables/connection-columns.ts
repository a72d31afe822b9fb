import type { Connection } from '../../connections/connection.ts';
import { type Columns, fromProperties } from './columns.ts';

export const connectionColumns: Columns<Connection> = {
  id: 'text',
  customerId: 'text',
  name: 'text',
  cloud: 'text',
  tenantId: 'text',
  tenantDomain: 'text',
  verifiedDomains: 'json',
  clientId: 'text',
  adminConfirmation: 'json',
  credential: 'json',
  credentialState: 'text',
  credentialChangedAt: 'instant',
  previousCredential: 'json',
  nextCertificate: 'json',
  probes: 'json',
  sendProbe: 'text',
  defaultMailbox: 'text',
  status: 'text',
  finding: 'json',
  lastTest: 'json',
  consentedAt: 'instant',
  grantsChangedAt: 'instant',
  provenAt: 'instant',
  checksHeldUntil: 'instant',
  secretAlert: 'json',
  registration: 'json',
  lastScopeCheck: 'json',
  happenings: 'json',
  createdAt: 'instant',
};

/** A connection as it is stored, also if it was last written when client secrets were the only credentials. */
export function readConnection(entity: Record<string, unknown>): Connection {
  return fromProperties(connectionColumns, entity.credential ? entity : withCredential(entity));
}

function withCredential(entity: Record<string, unknown>): Record<string, unknown> {
  const { clientSecretVersion: version, clientSecretExpiresAt: expiresAt, previousSecret } = entity;
  if (!version) return entity;
  return {
    ...entity,
    credential: JSON.stringify({ kind: 'clientSecret', version, expiresAt }),
    credentialState: entity.clientSecretState,
    credentialChangedAt: entity.clientSecretChangedAt,
    ...(previousSecret
      ? { previousCredential: JSON.stringify({ kind: 'clientSecret', ...JSON.parse(String(previousSecret)) }) }
      : {}),
  };
}
