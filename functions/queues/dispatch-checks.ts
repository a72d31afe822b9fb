import type { app } from '@azure/functions';
import { createConsumer } from '../../shared/edge/background/consumer.ts';
import { dispatchChecks } from '../../shared/imports/dispatching/dispatch-checks.ts';
import type { DispatchDeps } from '../../shared/imports/dispatching/dispatch-deps.ts';
import { type ImportMessage, importMessage } from '../../shared/imports/messages.ts';
import { DATA_STORAGE, poisonQueues, queues } from '../../shared/kernel/storage-names.ts';
import { archiveLastError, createPoisonTwin, type PoisonTwinDeps } from './poison-twin.ts';

interface Deps extends DispatchDeps, PoisonTwinDeps {
  /** How long a message stays hidden after a transient failure that names no time. */
  retryDelayMs: number;
}

const poisoned = { queue: queues.dispatchChecks, archiveKey: ({ importId }: ImportMessage) => importId };

export function addDispatchChecksQueue(host: Pick<typeof app, 'storageQueue'>, deps: Deps): void {
  host.storageQueue('dispatch-checks', {
    queueName: queues.dispatchChecks,
    connection: DATA_STORAGE,
    handler: createConsumer({
      message: importMessage,
      handle: (message) => dispatchChecks(deps, message),
      failed: archiveLastError(deps, poisoned),
      retryDelayMs: deps.retryDelayMs,
      sendAgain: (message, delayMs) => deps.importQueues.sendDispatch(message, delayMs),
    }),
  });

  host.storageQueue('dispatch-checks-poison', {
    queueName: poisonQueues.dispatchChecks,
    connection: DATA_STORAGE,
    handler: createPoisonTwin(deps, {
      ...poisoned,
      message: importMessage,
      // Nothing to settle: while the import is open, the sweep sends another message.
      settle: async () => undefined,
    }),
  });
}
