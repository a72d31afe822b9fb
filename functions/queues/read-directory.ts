import type { app } from '@azure/functions';
import { failReading } from '../../shared/directory/fail-reading.ts';
import { type DirectoryMessage, directoryMessage } from '../../shared/directory/messages.ts';
import { type ReadDirectoryDeps, readDirectory } from '../../shared/directory/read-directory.ts';
import { createConsumer } from '../../shared/edge/background/consumer.ts';
import { DATA_STORAGE, poisonQueues, queues } from '../../shared/kernel/storage-names.ts';
import { archiveLastError, createPoisonTwin, type PoisonTwinDeps } from './poison-twin.ts';

interface Deps extends ReadDirectoryDeps, PoisonTwinDeps {
  /** How long a message stays hidden after a transient failure that names no time. */
  retryDelayMs: number;
}

const poisoned = { queue: queues.readDirectory, archiveKey: ({ connectionId }: DirectoryMessage) => connectionId };

export function addReadDirectoryQueue(host: Pick<typeof app, 'storageQueue'>, deps: Deps): void {
  host.storageQueue('read-directory', {
    queueName: queues.readDirectory,
    connection: DATA_STORAGE,
    handler: createConsumer({
      message: directoryMessage,
      handle: (message) => readDirectory(deps, message),
      failed: archiveLastError(deps, poisoned),
      retryDelayMs: deps.retryDelayMs,
      sendAgain: deps.sendDirectory,
    }),
  });

  host.storageQueue('read-directory-poison', {
    queueName: poisonQueues.readDirectory,
    connection: DATA_STORAGE,
    handler: createPoisonTwin(deps, {
      ...poisoned,
      message: directoryMessage,
      settle: (message) => failReading(deps, message),
    }),
  });
}
