import type { Connection } from '../../connections/connection.ts';
import { tenantKeyOf } from '../tenant-key.ts';
import type { TenantPaceStore } from './tenant-pace.ts';

/** Until when imports do not ask this tenant, because Microsoft has asked for a pause or does not answer. */
export async function heldUntil(
  deps: { tenantPaces: Pick<TenantPaceStore, 'get'>; clock: { now: () => Date } },
  connection: Pick<Connection, 'cloud' | 'tenantId' | 'clientId'>,
): Promise<Date | undefined> {
  const pace = (await deps.tenantPaces.get(tenantKeyOf(connection)))?.value;
  if (!pace || pace.mode === 'free') return undefined;
  const until = pace.mode === 'down' ? pace.nextProbeAt : pace.holdUntil;
  return until > deps.clock.now().getTime() ? new Date(until) : undefined;
}
