import type { Connection } from '../connections/connection.ts';

/** Names what Microsoft limits together: one app in one tenant of one cloud. Connections can share it. */
export function tenantKeyOf({
  cloud,
  tenantId,
  clientId,
}: Pick<Connection, 'cloud' | 'tenantId' | 'clientId'>): string {
  return `${cloud} ${tenantId} ${clientId}`;
}
