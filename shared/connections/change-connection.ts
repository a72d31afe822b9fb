import { changeTagged } from '../kernel/change-tagged.ts';
import type { Connection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import { withHappenings } from './happenings.ts';

/**
 * Changes one connection so that no concurrent change is lost. Same promise as `changeTagged`. The same write notes what
 * webhooks must be told about the change.
 */
export function changeConnection(
  connections: Pick<ConnectionStore, 'get' | 'update'>,
  customerId: string,
  connectionId: string,
  change: (current: Connection) => Connection | undefined,
): Promise<Connection | undefined> {
  return changeTagged(
    {
      read: () => connections.get(customerId, connectionId),
      write: (connection, tag) => connections.update(connection, tag),
    },
    (current) => {
      const next = change(current);
      return next && withHappenings(current, next);
    },
  );
}
