import type { StorageQueueHandler } from '@azure/functions';
import type { z } from 'zod';
import { createLog } from '../../shared/edge/log.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import { signal } from '../../shared/kernel/signals.ts';
import type { PoisonArchive } from '../../shared/operations/poison-archive.ts';

export interface PoisonTwinDeps {
  poisonArchive: Pick<PoisonArchive, 'put'>;
  clock: Clock;
}

interface PoisonTwin<Message> {
  /** The queue that the messages were poisoned on. */
  queue: string;
  message: z.ZodType<Message>;
  /** Settles the work that the message asked for. */
  settle(message: Message): Promise<void>;
  /** Identifies the message in the archive; the id of the queue message by default. */
  archiveKey?(message: Message): string;
}

/**
 * Handles the poison queue of a queue: settles what the message asked for, and archives the message. Never throws: the
 * host drops a poison message whose handler fails, sometimes without a trace. What fails here is left to the sweep.
 */
export function createPoisonTwin<Message>(deps: PoisonTwinDeps, twin: PoisonTwin<Message>): StorageQueueHandler {
  return async (entry, context) => {
    const log = createLog(context, { queueFunction: context.functionName });
    const { queue } = twin;
    const messageId = String(context.triggerMetadata?.id);
    const parsed = twin.message.safeParse(entry);
    try {
      if (parsed.success) await twin.settle(parsed.data);
      const key = parsed.success ? (twin.archiveKey?.(parsed.data) ?? messageId) : messageId;
      await deps.poisonArchive.put({ queue, key, message: entry, archivedAt: deps.clock.now() });
      signal(log, parsed.success ? 'message_poisoned' : 'message_poisoned_malformed', { queue, key });
    } catch (error) {
      signal(log, 'poison_left_to_the_sweep', { queue, messageId }, { error });
    }
  };
}
