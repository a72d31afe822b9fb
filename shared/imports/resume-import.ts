import type { ConnectionStore } from '../connections/connection-store.ts';
import { noSuchConnection } from '../connections/require-connection.ts';
import { requireReady } from '../connections/require-ready.ts';
import { endOfSent } from './dispatching/sent-batches.ts';
import type { Import } from './import.ts';
import type { ImportQueues } from './import-queues.ts';
import { changeImport, type ImportStore } from './import-store.ts';

/**
 * Resumes a paused import. The cursor stays where it is. All lines that were sent become one batch whose messages
 * count as lost, so that the rows still pending there are sent again. Messages from before the pause are dropped by their epoch.
 *
 * The connection must be `ready` again, because what paused the import may concern the connection. An import that
 * paused for repeated refusals does not pause for them again: resuming it is a decision to continue. Resolves to
 * `undefined` if the import is not paused.
 *
 * @throws DomainError `connection_not_ready`, `not_found` if the connection is deleted
 */
export async function resumeImport(
  deps: { imports: ImportStore; connections: Pick<ConnectionStore, 'get'>; importQueues: ImportQueues },
  record: Pick<Import, 'id' | 'customerId' | 'connectionId'>,
): Promise<Import | undefined> {
  const { customerId, id: importId } = record;
  const connection = await deps.connections.get(customerId, record.connectionId);
  if (!connection) throw noSuchConnection(record.connectionId);
  requireReady(connection.value);
  const resumed = await changeImport(deps.imports, customerId, importId, (current) => {
    if (current.status !== 'paused') return undefined;
    const { lease: _ended, pausedAt: _over, wakeUpAt: _unset, finding: _fixed, ...rest } = current;
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
