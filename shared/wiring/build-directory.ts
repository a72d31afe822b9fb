import { randomUUID } from 'node:crypto';
import type { TableClient } from '@azure/data-tables';
import type { QueueServiceClient } from '@azure/storage-queue';
import { sendMessage } from '../adapters/queues/send-message.ts';
import { tableDirectory } from '../adapters/tables/table-directory.ts';
import type { DirectoryMessage } from '../directory/messages.ts';
import { queues } from '../kernel/storage-names.ts';
import type { Config } from './config.ts';

/** The host ends every function after ten minutes. */
const SHIFT_MS = 240_000;
/** A step waits for this many answers of Microsoft, one after the other. Few steps need more, and they lose nothing. */
const ANSWERS_OF_A_STEP = 3;

/** Builds what the directories of tenants are read with and kept in. */
export function buildDirectory(
  { table, queues: queueService }: { table: TableClient; queues: QueueServiceClient },
  settings: Config['settings'],
) {
  return {
    directory: tableDirectory(table),
    sendDirectory: (message: DirectoryMessage, delayMs?: number) =>
      sendMessage(queueService.getQueueClient(queues.readDirectory), message, delayMs),
    directoryLimits: {
      leaseMs: settings.CHECK_TIMEOUT * ANSWERS_OF_A_STEP,
      shiftMs: SHIFT_MS,
      giveUpAfterMs: settings.CHECK_GIVE_UP_AFTER,
      keptMs: settings.DIRECTORY_KEPT,
    },
    selectionMax: settings.SELECTION_MAX,
    newRound: () => randomUUID(),
  };
}
