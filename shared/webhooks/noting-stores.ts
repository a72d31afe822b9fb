import type { ConnectionStore } from '../connections/connection-store.ts';
import type { ImportStore } from '../imports/import-store.ts';
import type { Clock } from '../kernel/clock.ts';
import type { EventQueues } from './event-queues.ts';
import type { HappeningSource, Outbox } from './outbox.ts';

interface NotingDeps {
  outbox: Pick<Outbox, 'note'>;
  eventQueues: Pick<EventQueues, 'sendPublish'>;
  clock: Clock;
}

/**
 * The same store, which has what happens published: a record that holds something to publish is noted in the outbox
 * before it is written, and a message asks for it right after. If the process dies in between, or the message is lost,
 * the sweep finds the note.
 */
export function notingConnections(deps: NotingDeps, connections: ConnectionStore): ConnectionStore {
  return {
    ...connections,
    update: (connection, tag) =>
      noting(deps, 'connection', connection, (connection.happenings?.length ?? 0) > 0, () =>
        connections.update(connection, tag),
      ),
  };
}

/** The same for imports: a pause is published. Their ends are announced by the process that ends them. */
export function notingImports(deps: NotingDeps, imports: ImportStore): ImportStore {
  return {
    ...imports,
    update: (record, tag) =>
      noting(deps, 'import', record, record.pauseToAnnounce !== undefined, () => imports.update(record, tag)),
  };
}

async function noting(
  deps: NotingDeps,
  source: HappeningSource,
  { customerId, id }: { customerId: string; id: string },
  hasHappenings: boolean,
  update: () => Promise<string | undefined>,
): Promise<string | undefined> {
  if (!hasHappenings) return update();
  await deps.outbox.note({ customerId, source, id, notedAt: deps.clock.now() });
  const tag = await update();
  if (tag !== undefined) await deps.eventQueues.sendPublish({ v: 1, customerId, source, id }).catch(() => undefined);
  return tag;
}
