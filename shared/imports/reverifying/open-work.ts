import pLimit from 'p-limit';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import { type Import, isEnded } from '../import.ts';
import type { ImportStore, OpenImport } from '../import-store.ts';

export interface OpenWorkDeps {
  imports: Pick<ImportStore, 'get' | 'listOpen'>;
  connections: Pick<ConnectionStore, 'get'>;
}

/** What goes on in all tenants. */
export interface OpenWork {
  /** Whether an import, or an action that a customer has started, runs in the tenant of this connection. */
  isBusy(connection: Connection): boolean;
  /** The re-verification of a connection that has not ended. */
  reverificationOf(connectionId: string): Import | undefined;
  /** How many imports and actions a customer has that have not ended. */
  countOf(customerId: string): number;
}

const READS_AT_ONCE = 8;

/** Two requests for each open import, however many connections there are. */
export async function readOpenWork(deps: OpenWorkDeps): Promise<OpenWork> {
  const tenants = new Set<string>();
  const reverifications = new Map<string, Import>();
  const limit = pLimit(READS_AT_ONCE);
  const pointers = await deps.imports.listOpen();
  const counts = Map.groupBy(pointers, ({ customerId }) => customerId);
  await Promise.all(pointers.map((pointer) => limit(() => readOne(deps, pointer, tenants, reverifications))));
  return {
    isBusy: (connection) => tenants.has(tenantOf(connection)),
    reverificationOf: (connectionId) => reverifications.get(connectionId),
    countOf: (customerId) => counts.get(customerId)?.length ?? 0,
  };
}

async function readOne(
  { imports, connections }: OpenWorkDeps,
  { customerId, importId, connectionId }: OpenImport,
  tenants: Set<string>,
  reverifications: Map<string, Import>,
): Promise<void> {
  const record = (await imports.get(customerId, importId))?.value;
  if (record?.isReverification && !isEnded(record.status)) return void reverifications.set(connectionId, record);
  // One that is paused asks nobody. One without a record yet is just being started.
  if (record && (isEnded(record.status) || record.status === 'paused')) return;
  const connection = (await connections.get(customerId, connectionId))?.value;
  if (connection) tenants.add(tenantOf(connection));
}

function tenantOf({ cloud, tenantId }: Connection): string {
  return `${cloud} ${tenantId}`;
}
