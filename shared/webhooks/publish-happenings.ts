import { changeConnection } from '../connections/change-connection.ts';
import type { ConnectionStore } from '../connections/connection-store.ts';
import type { Import } from '../imports/import.ts';
import { changeImport, type ImportStore } from '../imports/import-store.ts';
import { createRepeatableIds } from '../kernel/ids.ts';
import { connectionEvent, importCompletedData, importPausedData } from './event-data.ts';
import type { PublishMessage } from './event-queues.ts';
import type { Event } from './event-types.ts';
import { NOTED_FOR_MS, type Outbox } from './outbox.ts';
import { type PublishDeps, publishEvent } from './publish-event.ts';
import { type PublishMailboxesDeps, publishMailboxes } from './publish-mailboxes.ts';

export interface PublishHappeningsDeps extends PublishMailboxesDeps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  imports: ImportStore;
  /** Tells others than webhooks, for example by e-mail. Repeatable. */
  alsoTell: (event: Event) => Promise<void>;
}

/**
 * Publishes what has happened in one place, and then clears it there. Repeatable.
 *
 * The entry in the outbox goes when it is so old that nothing more can follow from it. An entry that somebody has renewed
 * in the meantime stays.
 */
export async function publishHappenings(deps: PublishHappeningsDeps, message: PublishMessage): Promise<void> {
  if (message.source === 'mailboxes') return publishMailboxes(deps, message);
  const entry = await deps.outbox.get(message);
  if (message.source === 'connection') await publishOfConnection(deps, message);
  else await publishPause(deps, message);
  const isOld = entry && deps.clock.now().getTime() - entry.value.notedAt.getTime() >= NOTED_FOR_MS;
  if (isOld) await deps.outbox.remove(message, entry.tag);
}

async function publishOfConnection(deps: PublishHappeningsDeps, { customerId, id }: PublishMessage): Promise<void> {
  const connection = (await deps.connections.get(customerId, id))?.value;
  if (!connection?.happenings?.length) return;
  const published = new Set<string>();
  for (const happening of connection.happenings) {
    const event = connectionEvent(connection, happening);
    await publishEvent(deps, event);
    await deps.alsoTell(event);
    published.add(happening.id);
  }
  await changeConnection(deps.connections, customerId, id, ({ happenings = [], ...current }) => {
    const left = happenings.filter((happening) => !published.has(happening.id));
    return { ...current, ...(left.length > 0 && { happenings: left }) };
  });
}

async function publishPause(deps: PublishHappeningsDeps, { customerId, id }: PublishMessage): Promise<void> {
  const record = (await deps.imports.get(customerId, id))?.value;
  const pause = record?.pauseToAnnounce;
  if (!record || !pause) return;
  const event = eventOf(record, 'import.paused', pause.pausedAt, importPausedData(record, pause));
  await publishEvent(deps, event);
  await deps.alsoTell(event);
  await changeImport(deps.imports, customerId, id, ({ pauseToAnnounce, ...current }) =>
    pauseToAnnounce?.pausedAt.getTime() === pause.pausedAt.getTime() ? current : undefined,
  );
}

/** Publishes the end of an import, and begins to publish its mailboxes. Repeatable. */
export async function publishImportEnd(
  deps: Omit<PublishDeps, 'eventQueues'> &
    Pick<PublishHappeningsDeps, 'alsoTell' | 'eventQueues'> & { outbox: Pick<Outbox, 'begin'> },
  record: Import,
): Promise<void> {
  const { finishedAt = record.createdAt } = record;
  const event = eventOf(record, 'import.completed', finishedAt, importCompletedData(record));
  await publishEvent(deps, event);
  await deps.alsoTell(event);
  await beginMailboxes(deps, record);
}

/** Begins to publish the mailboxes whose verdict a check of them has changed. Repeatable. */
export async function publishVerdictChanges(deps: BeginDeps, record: Import): Promise<void> {
  if (record.action === 'check') await beginMailboxes(deps, record);
}

type BeginDeps = Pick<PublishDeps, 'webhooks' | 'clock'> &
  Pick<PublishHappeningsDeps, 'eventQueues'> & { outbox: Pick<Outbox, 'begin'> };

async function beginMailboxes(deps: BeginDeps, { customerId, id, connectionId }: Import): Promise<void> {
  const webhooks = await deps.webhooks.all(customerId);
  const isWanted = webhooks.some(({ status, events }) => {
    return status === 'enabled' && (events.includes('mailbox.activated') || events.includes('mailbox.failed'));
  });
  if (!isWanted) return;
  await deps.outbox.begin({ customerId, source: 'mailboxes', id, connectionId, line: -1, notedAt: deps.clock.now() });
  await deps.eventQueues.sendPublish({ v: 1, customerId, source: 'mailboxes', id }).catch(() => undefined);
}

function eventOf({ customerId, id }: Import, type: Event['type'], happenedAt: Date, data: object): Event {
  const seed = `${id}\n${type}\n${happenedAt.toISOString()}`;
  return { id: createRepeatableIds(seed, happenedAt)('evt'), customerId, type, happenedAt, data };
}
