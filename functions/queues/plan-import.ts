import type { app } from '@azure/functions';
import { createConsumer } from '../../shared/edge/background/consumer.ts';
import { type ImportMessage, importMessage } from '../../shared/imports/messages.ts';
import { failPlan, type PlanDeps, planImport } from '../../shared/imports/planning/plan-import.ts';
import { DATA_STORAGE, poisonQueues, queues } from '../../shared/kernel/storage-names.ts';
import { archiveLastError, createPoisonTwin, type PoisonTwinDeps } from './poison-twin.ts';

interface Deps extends PlanDeps, PoisonTwinDeps {
  /** How long a message stays hidden after a transient failure that names no time. */
  retryDelayMs: number;
}

const poisoned = { queue: queues.planImport, archiveKey: ({ importId }: ImportMessage) => importId };

export function addPlanImportQueue(host: Pick<typeof app, 'storageQueue'>, deps: Deps): void {
  host.storageQueue('plan-import', {
    queueName: queues.planImport,
    connection: DATA_STORAGE,
    handler: createConsumer({
      message: importMessage,
      handle: ({ customerId, importId }) => planImport(deps, customerId, importId),
      failed: archiveLastError(deps, poisoned),
      retryDelayMs: deps.retryDelayMs,
      sendAgain: (message, delayMs) => deps.importQueues.sendPlan(message, delayMs),
    }),
  });

  host.storageQueue('plan-import-poison', {
    queueName: poisonQueues.planImport,
    connection: DATA_STORAGE,
    handler: createPoisonTwin(deps, {
      ...poisoned,
      message: importMessage,
      settle: ({ customerId, importId }) => failPlan(deps, customerId, importId),
    }),
  });
}
