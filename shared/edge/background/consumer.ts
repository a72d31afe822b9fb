import type { InvocationContext, StorageQueueHandler } from '@azure/functions';
import type { z } from 'zod';
import { DomainError, isTransient } from '../../kernel/errors.ts';
import type { Log } from '../../kernel/log.ts';
import { createLog } from '../telemetry/log.ts';
import { type TracedWork, traced } from '../telemetry/tracing.ts';
import { OTHER_VERSION_DELAY_MS, ofOtherVersion } from './message-version.ts';

interface Delivery {
  log: Log;
  /** 1 for the first delivery of this message. More when an earlier one failed or its process died. */
  dequeueCount: number;
  context: InvocationContext;
}

export interface Consumer<Message> {
  message: z.ZodType<Message>;
  /** Does the work. The message is done when this resolves. */
  handle(message: Message, delivery: Delivery): Promise<void>;
  /** Sends a message to the same queue, hidden for `delayMs`. */
  sendAgain(message: Message, delayMs: number): Promise<void>;
  /** How long a message stays hidden after a transient failure that names no time. */
  retryDelayMs: number;
  /** Called before a failure escapes to the host. */
  failed?(message: Message, error: unknown, delivery: Delivery): Promise<void>;
  /**
   * The message to send after a transient failure; by default the same. `undefined` if something else finds the work
   * again.
   */
  afterFailure?(message: Message): Message | undefined;
}

/**
 * Wraps a queue handler with what every message needs: a check of its shape, and a decision when its work fails.
 *
 * - A message of another version is sent again unchanged, for a worker that knows it. It does not count as a failure.
 * - A transient failure is sent again after a delay, and does not count as a delivery. If that fails as well, the message
 *   is dropped: the sweep finds work whose message is gone.
 * - Anything else escapes. The host delivers the message again and in the end moves it to the poison queue.
 *
 * Resolves to nothing, because the host would try to serialize a result.
 */
export function createConsumer<Message>(consumer: Consumer<Message>): StorageQueueHandler {
  return (entry, context): Promise<void> => traced(toWork(entry, context), () => consume(entry, context));

  async function consume(entry: unknown, context: InvocationContext): Promise<void> {
    const dequeueCount = Number(context.triggerMetadata?.dequeueCount ?? 1);
    const log = createLog(context, { requestId: context.invocationId, queueFunction: context.functionName });
    const delivery = { log, dequeueCount, context };
    const parsed = consumer.message.safeParse(entry);
    if (!parsed.success) {
      const other = ofOtherVersion(entry, parsed.error, new Date());
      if (other) {
        log('warn', 'message_of_other_version', { version: other.v, since: other.unknownSince });
        // It only passes through here, so its type does not matter.
        return await consumer.sendAgain(other as Message, OTHER_VERSION_DELAY_MS);
      }
      // Never log the message itself: a malformed one may hold anything.
      const faults = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
      log('error', 'message_malformed', { faults, dequeueCount });
      throw new Error('the message has an unknown shape');
    }
    try {
      await consumer.handle(parsed.data, delivery);
    } catch (error) {
      if (!isTransient(error)) {
        const code = error instanceof DomainError ? error.code : undefined;
        log('error', 'message_failed', { dequeueCount, code, error });
        await consumer.failed?.(parsed.data, error, delivery);
        throw error instanceof Error ? error : new Error(String(error));
      }
      const seconds = error.retryAfterSeconds;
      log('warn', 'message_postponed', { code: error.code, seconds, error });
      const nextTry = consumer.afterFailure ? consumer.afterFailure(parsed.data) : parsed.data;
      if (!nextTry) return;
      await consumer
        .sendAgain(nextTry, seconds === undefined ? consumer.retryDelayMs : seconds * 1000)
        .catch((failure) => log('warn', 'message_left_to_the_sweep', { error: failure }));
    }
  }
}

/** A message continues the trace of what has sent it. The host knows only its own. */
export function toWork(entry: unknown, { functionName, traceContext }: InvocationContext): TracedWork {
  const sent = entry !== null && typeof entry === 'object' ? Reflect.get(entry, 'traceparent') : undefined;
  const invocation = traceContext?.traceParent;
  const parent = typeof sent === 'string' ? sent : invocation;
  return { name: functionName, kind: 'consumer', parent, ...(parent !== invocation && { link: invocation }) };
}
