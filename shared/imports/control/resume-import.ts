import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import { requireReady } from '../../connections/readiness/require-ready.ts';
import { noSuchConnection } from '../../connections/require-connection.ts';
import type { Import } from '../import.ts';
import type { ImportQueues } from '../import-queues.ts';
import { changeImport, type ImportStore } from '../import-store.ts';
import { endOfSent } from '../sent-batches.ts';

export interface ResumeDeps {
  imports: ImportStore;
  connections: Pick<ConnectionStore, 'get'>;
  importQueues: ImportQueues;
  /** Tests a connection now. Its status follows. */
  testConnection: (customerId: string, connectionId: string) => Promise<unknown>;
}

/**
 * Resumes a paused import. The cursor stays where it is. All lines that were sent become one batch whose messages
 * count as lost, so that the rows still pending there are sent again. Messages from before the pause are dropped by their epoch.
 *
 * The connection must be `ready` again, because what paused the import may concern the connection. If it is not, it is
 * tested, so that one call is enough after a fix. An import that paused for repeated refusals does not pause for them again: resuming it is a decision to continue. Resolves to
 * `undefined` if the import is not paused.
 *
 * @throws DomainError `connection_not_ready`, `not_found` if the connection is deleted
 */
export async function resumeImport(
  deps: ResumeDeps,
  record: Pick<Import, 'id' | 'customerId' | 'connectionId'>,
): Promise<Import | undefined> {
  const { customerId, id: importId } = record;
  const connection = await readConnection(deps, record);
  if (connection.status !== 'ready') {
    const stored = await deps.imports.get(customerId, importId);
    if (stored?.value.status !== 'paused') return undefined;
    await deps.testConnection(customerId, record.connectionId);
    requireReady(await readConnection(deps, record));
  }
  const resumed = await changeImport(deps.imports, customerId, importId, (current) => {
    if (current.status !== 'paused') return undefined;
    const { lease: _ended, pausedAt: _over, wakeUpAt: _unset, waitingFor: _wait, finding: _fixed, ...rest } = current;
    const longAgo = new Date(0);
    const sent = {
      from: 0,
      to: endOfSent(current),
      sentAt: longAgo,
      handedOutAt: longAgo,
      isReturned: true,
    } as const;
    return {
      ...rest,
      status: 'running',
      epoch: current.epoch + 1,
      batches: sent.to > 0 ? [sent] : [],
      ...(current.finding?.isRepeatedRefusal && { ignoresRepeatedRefusals: true }),
    };
  });
  // If this message is lost, the sweep sends another one.
  if (resumed) await deps.importQueues.sendDispatch({ v: 1, customerId, importId }).catch(() => undefined);
  return resumed;
}

async function readConnection(
  deps: ResumeDeps,
  { customerId, connectionId }: Pick<Import, 'customerId' | 'connectionId'>,
): Promise<Connection> {
  const found = await deps.connections.get(customerId, connectionId);
  if (!found) throw noSuchConnection(connectionId);
  return found.value;
}
