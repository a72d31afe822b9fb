import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { ImportStore } from '../import-store.ts';
import { tenantKeyOf } from '../tenant-key.ts';
import { newestTimeOf, type TenantPaceStore } from './tenant-pace.ts';

export interface RemoveOldPacesDeps {
  tenantPaces: Pick<TenantPaceStore, 'each' | 'put' | 'remove'>;
  imports: Pick<ImportStore, 'listOpen'>;
  connections: Pick<ConnectionStore, 'get'>;
  clock: Clock;
}
type RemoveDeps = Omit<RemoveOldPacesDeps, 'clock'>;

const KEPT_MS = 30 * 86_400_000;
const BATCH_SIZE = 100;

/**
 * Removes the paces that nobody has used for 30 days. For a timer. Resolves to how many it has removed.
 *
 * A new pace begins with the first generation, and the answers to messages of an older pace would look newer. So a pace
 * stays while an import of its tenant is open, also a paused one. Each pace is marked first, and the open imports are read
 * after that: an import that has read the pace before the mark is among them. One that reads it later takes the mark back,
 * and then the removal does nothing.
 */
export async function removeOldPaces(deps: RemoveOldPacesDeps): Promise<number> {
  const before = deps.clock.now().getTime() - KEPT_MS;
  let removed = 0;
  let batch: { tenant: string; tag: string }[] = [];
  for await (const { value, tag } of deps.tenantPaces.each()) {
    if (newestTimeOf(value) >= before) continue;
    const marked = await deps.tenantPaces.put({ ...value, isRetired: true }, tag);
    if (marked !== undefined) batch.push({ tenant: value.tenant, tag: marked });
    if (batch.length < BATCH_SIZE) continue;
    removed += await removeUnused(deps, batch);
    batch = [];
  }
  return removed + (await removeUnused(deps, batch));
}

/**
 * Removes the pace of a deleted connection, which names its tenant, its app and its imports. It stays while another
 * connection has an open import to the same tenant: that one goes on using it. Repeatable.
 */
export async function removePaceOf(
  deps: RemoveDeps & { tenantPaces: Pick<TenantPaceStore, 'get'> },
  connection: Connection,
): Promise<void> {
  const tenant = tenantKeyOf(connection);
  const found = await deps.tenantPaces.get(tenant);
  const tag = found && (await deps.tenantPaces.put({ ...found.value, isRetired: true }, found.tag));
  if (tag !== undefined) await removeUnused(deps, [{ tenant, tag }]);
}

async function removeUnused(deps: RemoveDeps, marked: readonly { tenant: string; tag: string }[]): Promise<number> {
  if (marked.length === 0) return 0;
  const used = await tenantsOfOpenImports(deps);
  let removed = 0;
  for (const { tenant, tag } of marked) {
    if (!used.has(tenant) && (await deps.tenantPaces.remove(tenant, tag))) removed++;
  }
  return removed;
}

async function tenantsOfOpenImports(deps: RemoveDeps): Promise<Set<string>> {
  const open = await deps.imports.listOpen();
  const connections = new Map(open.map((one) => [one.connectionId, one.customerId]));
  const tenants = new Set<string>();
  for (const [connectionId, customerId] of connections) {
    const connection = (await deps.connections.get(customerId, connectionId))?.value;
    if (connection) tenants.add(tenantKeyOf(connection));
  }
  return tenants;
}
