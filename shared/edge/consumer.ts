import type { InvocationContext, StorageQueueHandler } from '@azure/functions';
import type { z } from 'zod';
import { DomainError, isWeather } from '../kernel/errors.ts';
import type { Log } from '../kernel/log.ts';
import { createLog } from './log.ts';

export interface Delivery {
  log: Log;
  /** 1 for the first delivery of this message; more when an earlier one failed or its process died. */
  dequeueCount: number;
  context: InvocationContext;
}

export interface Consumer<Message> {
  message: z.ZodType<Message>;
  handle(message: Message, delivery: Delivery): Promise<void>;
  /**
   * Puts the message back, out of sight for so long, when a part that we need is away; without it that escapes as well.
   * `seconds` is what the other side asked for, if it did.
   */
  postpone?(message: Message, error: DomainError, seconds: number | undefined, delivery: Delivery): Promise<void>;
  /** Records a refusal that waiting will not cure; without it that escapes as well. */
  giveUp?(message: Message, error: DomainError, delivery: Delivery): Promise<void>;
}

/**
 * Wraps a queue handler with what every message is owed: a known shape, and a decision when it fails. Weather is
 * postponed and a refusal recorded, where the consumer says how; defects escape, so the host delivers again and in the
 * end puts the message with the poison, which deserves a person. Resolves to nothing, because the host would try to
 * serialise whatever came back, after the work is done.
 */
export function createConsumer<Message>(consumer: Consumer<Message>): StorageQueueHandler {
  return async (entry, context): Promise<void> => {
    const dequeueCount = Number(context.triggerMetadata?.dequeueCount ?? 1);
    const log = createLog(context, { requestId: context.invocationId, queueFunction: context.functionName });
    const delivery = { log, dequeueCount, context };
    const parsed = consumer.message.safeParse(entry);
    if (!parsed.success) {
      // Never the message itself: what is malformed may hold anything.
      const faults = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
      log('error', 'message_malformed', { faults, dequeueCount });
      throw new Error('the message has an unknown shape');
    }
    try {
      await consumer.handle(parsed.data, delivery);
    } catch (error) {
      const weather = isWeather(error) ? error : undefined;
      const refusal = error instanceof DomainError ? error : undefined;
      if (weather && consumer.postpone) {
        log('warn', 'message_postponed', { code: weather.code, seconds: weather.retryAfterSeconds, error });
        await consumer.postpone(parsed.data, weather, weather.retryAfterSeconds, delivery);
      } else if (refusal && !weather && consumer.giveUp) {
        log('info', 'message_refused', { code: refusal.code, ...refusal.context });
        await consumer.giveUp(parsed.data, refusal, delivery);
      } else {
        log('error', 'message_failed', { dequeueCount, error });
        throw error instanceof Error ? error : new Error(String(error));
      }
    }
  };
}
