import type { InvocationContext, StorageQueueHandler } from '@azure/functions';
import type { z } from 'zod';
import { type Consumer, toWork } from '../../shared/edge/background/consumer.ts';
import { createLog } from '../../shared/edge/telemetry/log.ts';
import { traced } from '../../shared/edge/telemetry/tracing.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import { signal } from '../../shared/kernel/signals.ts';
import { type ArchivePoisonDeps, archivePoison } from '../../shared/operations/archive-poison.ts';

export interface PoisonTwinDeps extends ArchivePoisonDeps {
  clock: Clock;
  /** After this many deliveries the host moves a message to the poison queue; `maxDequeueCount` of host.json. */
  deliveriesMax: number;
}

interface PoisonTwin<Message> {
  /** The queue that the messages were poisoned on. */
  queue: string;
  message: z.ZodType<Message>;
  /** Settles the work that the message asked for. */
  settle(message: Message): Promise<void>;
  /** Identifies the work in the archive. */
  archiveKey(message: Message): string;
}

/**
 * Handles the poison queue of a queue: settles what the message asked for, and archives the message, unless what it is
 * about was deleted. Never throws: the
 * host drops a poison message whose handler fails, sometimes without a trace. What fails here is left to the sweep.
 */
export function createPoisonTwin<Message>(deps: PoisonTwinDeps, twin: PoisonTwin<Message>): StorageQueueHandler {
  return (entry, context) => traced(toWork(entry, context), () => settleAndArchive(entry, context));

  async function settleAndArchive(entry: unknown, context: InvocationContext): Promise<void> {
    const log = createLog(context, { queueFunction: context.functionName });
    const { queue } = twin;
    const messageId = String(context.triggerMetadata?.id);
    const parsed = twin.message.safeParse(entry);
    try {
      if (parsed.success) await twin.settle(parsed.data);
      const key = parsed.success ? twin.archiveKey(parsed.data) : messageId;
      const poisonedAt = instantOf(context.triggerMetadata?.insertionTime) ?? deps.clock.now();
      const known = { queue, key, message: entry, poisonedAt };
      const isKept = await archivePoison(deps, parsed.success ? known : { ...known, isMalformed: true });
      if (isKept) signal(log, parsed.success ? 'message_poisoned' : 'message_poisoned_malformed', { queue, key });
      else log('info', 'poison_without_owner', { queue, key });
    } catch (error) {
      signal(log, 'poison_left_to_the_sweep', { queue, messageId }, { error });
    }
  }
}

function instantOf(value: unknown): Date | undefined {
  const instant = new Date(String(value));
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}

/**
 * Archives the error of a message's last delivery, because the poison queue does not tell why a message failed. Pass it to
 * the consumer of the queue.
 */
export function archiveLastError<Message>(
  deps: PoisonTwinDeps,
  { queue, archiveKey }: Pick<PoisonTwin<Message>, 'queue' | 'archiveKey'>,
): NonNullable<Consumer<Message>['failed']> {
  return async (message, error, { dequeueCount, log }) => {
    if (dequeueCount < deps.deliveriesMax) return;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const known = { queue, key: archiveKey(message), message, error: text, poisonedAt: deps.clock.now() };
    await archivePoison(deps, known).catch((failure) => log('warn', 'poison_reason_lost', { error: failure }));
  };
}
