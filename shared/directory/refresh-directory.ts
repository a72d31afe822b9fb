import { randomUUID } from 'node:crypto';
import type { Connection } from '../connections/connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import { noSuchConnection } from '../connections/require-connection.ts';
import { retryLostRaces } from '../kernel/change-tagged.ts';
import type { DirectoryRead, DirectoryRecord } from './directory-record.ts';
import { purgeDirectory, type ReadDirectoryDeps } from './read-directory.ts';

type Deps = Pick<ReadDirectoryDeps, 'directory' | 'sendDirectory' | 'directoryLimits' | 'clock'> & {
  connections: Pick<ConnectionStore, 'get'>;
};

/** If the message is lost, the sweep sends another one after this time. */
const MESSAGE_LOST_AFTER_MS = 30_000;

/**
 * Begins to read the directory of a connection's tenant in the background: all of it at first, and later what has
 * changed. Does nothing if that is under way already. Resolves to the record.
 *
 * Writes the notes first, by which the sweep and the retention find the directory if the process dies afterwards.
 *
 * @param connection must be `ready`
 * @throws DomainError `not_found` if the connection was deleted in the meantime
 */
export async function refreshDirectory(deps: Deps, connection: Connection): Promise<DirectoryRecord> {
  const { customerId, id: connectionId } = connection;
  const now = deps.clock.now();
  const note = (ms: number) => ({ customerId, connectionId, at: new Date(now.getTime() + ms) });
  await deps.directory.note('kept', note(deps.directoryLimits.keptMs));
  const record = await retryLostRaces(async () => {
    const found = await deps.directory.get(connectionId);
    if (found?.value.read) return found.value;
    await deps.directory.note('reading', note(MESSAGE_LOST_AFTER_MS));
    const { finding: _finding, ...known } = found?.value ?? { connectionId, customerId, round: randomUUID() };
    const next: DirectoryRecord = { ...known, read: newRead(known, now) };
    return (await deps.directory.put(next, found?.tag)) === undefined ? undefined : next;
  });
  if (!(await deps.connections.get(customerId, connectionId))) {
    await purgeDirectory(deps, connectionId);
    throw noSuchConnection(connectionId);
  }
  // A read that waits has a message already. Another one would go round with it for as long as the read waits.
  const isWaiting = (record.read?.resumesAt?.getTime() ?? 0) > now.getTime();
  if (!isWaiting) await deps.sendDirectory({ v: 1, customerId, connectionId }).catch(() => undefined);
  return record;
}

function newRead({ changesLink }: Partial<DirectoryRecord>, startedAt: Date): DirectoryRead {
  const begun = { startedAt, tries: 0, restarts: 0, spacingMs: 0 };
  return changesLink === undefined ? { ...begun, phase: 'begin' } : { ...begun, phase: 'changes', cursor: changesLink };
}

/** Sends a message for each directory that is to be read and that nobody reads. Resolves to their number. */
export async function sweepDirectories(deps: Pick<Deps, 'directory' | 'sendDirectory' | 'clock'>): Promise<number> {
  let sent = 0;
  for await (const { customerId, connectionId } of deps.directory.eachDue('reading', deps.clock.now())) {
    await deps.sendDirectory({ v: 1, customerId, connectionId });
    sent++;
  }
  return sent;
}

/** Removes directories that nobody has read for a long time. Resolves to their number. */
export async function removeOldDirectories(deps: Pick<Deps, 'directory' | 'clock'>): Promise<number> {
  let removed = 0;
  for await (const { connectionId } of deps.directory.eachDue('kept', deps.clock.now())) {
    await purgeDirectory(deps, connectionId);
    removed++;
  }
  return removed;
}

/** Removes what interrupted requests have left of a customer's directories. Repeatable. */
export async function purgeDirectoriesOf(deps: Pick<Deps, 'directory'>, customerId: string): Promise<void> {
  for await (const { connectionId } of deps.directory.eachOf(customerId)) await purgeDirectory(deps, connectionId);
}
