import type { ConnectionStore } from '../connections/connection-store.ts';
import type { TenantPaceStore } from '../imports/pacing/tenant-pace.ts';
import { tenantKeyOf } from '../imports/tenant-key.ts';
import type { Log } from '../kernel/log.ts';
import { signal } from '../kernel/signals.ts';
import { type OpenImportDeps, type OpenImportState, readOpenImports } from './open-imports.ts';
import type { ProgressMarks } from './progress-marks.ts';

export interface WatchImportsDeps extends OpenImportDeps {
  progressMarks: ProgressMarks;
  connections: Pick<ConnectionStore, 'get'>;
  tenantPaces: Pick<TenantPaceStore, 'get'>;
}

/** Tells how many imports are unfinished, which of them make no progress, and which tenants are asked more slowly. */
export async function watchImports(deps: WatchImportsDeps, log: Log): Promise<void> {
  const states = await readOpenImports(deps);
  const countOf = (status: string) => states.filter(({ record }) => record.status === status).length;
  signal(log, 'imports_watched', {
    open: states.length,
    accepted: countOf('accepted'),
    planning: countOf('planning'),
    running: countOf('running'),
    paused: countOf('paused'),
    cancelling: countOf('cancelling'),
    stalled: states.filter(({ isStalled }) => isStalled).length,
  });
  const now = deps.clock.now().getTime();
  for (const { record, silentSince, isStalled } of states) {
    if (!isStalled) continue;
    const { id: importId, customerId, connectionId, status } = record;
    const silentSeconds = Math.floor((now - silentSince.getTime()) / 1000);
    signal(log, 'import_stalled', { importId, customerId, connectionId, status, silentSeconds });
  }
  await keepMarks(deps, states);
  await watchTenants(deps, states, log);
}

/** Writes only what has moved. */
async function keepMarks(
  { progressMarks, clock }: Pick<WatchImportsDeps, 'progressMarks' | 'clock'>,
  states: readonly OpenImportState[],
): Promise<void> {
  const before = new Map((await progressMarks.list()).map((mark) => [mark.importId, mark]));
  const moved = states.filter(({ record, position }) => before.get(record.id)?.position !== position);
  await progressMarks.put(moved.map(({ record, position }) => ({ importId: record.id, position, since: clock.now() })));
  for (const { record } of states) before.delete(record.id);
  await progressMarks.remove([...before.keys()]);
}

async function watchTenants(
  deps: Pick<WatchImportsDeps, 'connections' | 'tenantPaces'>,
  states: readonly OpenImportState[],
  log: Log,
): Promise<void> {
  const running = states.filter(({ record }) => record.status === 'running');
  const imports = new Map<string, number>();
  for (const [connectionId, ofConnection] of Map.groupBy(running, ({ record }) => record.connectionId)) {
    const customerId = ofConnection[0]?.record.customerId ?? '';
    const connection = (await deps.connections.get(customerId, connectionId))?.value;
    if (!connection) continue;
    const tenant = tenantKeyOf(connection);
    imports.set(tenant, (imports.get(tenant) ?? 0) + ofConnection.length);
  }
  for (const [tenant, count] of imports) {
    const { mode, limit } = (await deps.tenantPaces.get(tenant))?.value ?? { mode: 'free', limit: 0 };
    signal(log, 'tenant_watched', { tenant, mode, limit: Math.round(limit), imports: count });
  }
}
