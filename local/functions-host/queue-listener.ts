import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import type { RunDelivery } from './deliver-twice.ts';
import type { QueuesOptions } from './host-json.ts';
import { createPollingIntervals } from './polling-intervals.ts';
import { decodeMessage } from './queue-message.ts';
import { createMessageLease, isGone, isMissingQueue, sendToPoison } from './queue-storage.ts';

export interface QueueListenerDeps {
  queue: QueueClient;
  /** `undefined` if there is none. The messages of a poison queue itself are retried forever. */
  poison: QueueClient | undefined;
  options: QueuesOptions;
  run: RunDelivery;
  log: (level: 'information' | 'warning' | 'error', message: string) => void;
}

export interface QueueListener {
  /** Fetches no more messages. Resolves once those in hand are finished and those just received are returned. */
  stop(): Promise<void>;
}

/** How long a received message stays hidden. Its lease is renewed at half of that time. */
const LEASE_SECONDS = 600;

/**
 * Polls one queue like the real trigger: it fetches whole batches, the next one as soon as at most `newBatchThreshold`
 * messages are in hand. While storage is unavailable or the queue is missing, it polls more slowly.
 */
export function listenToQueue(deps: QueueListenerDeps): QueueListener {
  const { queue, options, log } = deps;
  const intervals = createPollingIntervals(options.maxPollingIntervalMs);
  const inHand = new Set<Promise<void>>();
  let isStopping = false;
  let isUnavailable = false;
  let onFewer: () => void = () => undefined;
  let onStop: () => void = () => undefined;

  async function fetchBatch(): Promise<DequeuedMessageItem[]> {
    try {
      const received = await queue.receiveMessages({
        numberOfMessages: options.batchSize,
        visibilityTimeout: LEASE_SECONDS,
      });
      if (isUnavailable) log('information', `${queue.name} is available again`);
      isUnavailable = false;
      return received.receivedMessageItems;
    } catch (error) {
      if (!isMissingQueue(error)) {
        if (!isUnavailable) log('warning', `${queue.name} is unavailable: ${firstLine(error)}`);
        isUnavailable = true;
      }
      return [];
    }
  }

  function pause(ms: number): Promise<void> {
    if (isStopping) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      onStop = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  function fewerInHand(): Promise<void> {
    return new Promise((resolve) => {
      onFewer = resolve;
      onStop = resolve;
    });
  }

  async function poll(): Promise<void> {
    while (!isStopping) {
      const messages = await fetchBatch();
      if (messages.length === 0) {
        await pause(intervals.next());
        continue;
      }
      intervals.reset();
      for (const message of messages) take(message);
      if (!isStopping && inHand.size > options.newBatchThreshold) await fewerInHand();
    }
  }

  function take(message: DequeuedMessageItem): void {
    const work = (isStopping ? returnToQueue(message) : handle(message)).catch((error: unknown) => {
      // Whatever is unfinished, the message is delivered again when its lease ends.
      log('warning', `message ${message.messageId} of ${queue.name} is delivered again: ${firstLine(error)}`);
    });
    inHand.add(work);
    void work.then(() => {
      inHand.delete(work);
      if (inHand.size <= options.newBatchThreshold) onFewer();
    });
  }

  async function returnToQueue(message: DequeuedMessageItem): Promise<void> {
    await queue.updateMessage(message.messageId, message.popReceipt, undefined, 0);
  }

  async function handle(message: DequeuedMessageItem): Promise<void> {
    const text = decodeMessage(message.messageText, options.messageEncoding);
    if (deps.poison && (text === undefined || message.dequeueCount > options.maxDequeueCount)) {
      return await moveToPoison(message, message.popReceipt);
    }
    const lease = createMessageLease(queue, message, LEASE_SECONDS, (error) =>
      log('warning', `the lease of message ${message.messageId} of ${queue.name} was not renewed: ${firstLine(error)}`),
    );
    const isDone = text !== undefined && (await hasSucceeded({ text, message, dequeueCount: message.dequeueCount }));
    const popReceipt = await lease.end();
    if (isDone) await remove(message, popReceipt);
    else if (deps.poison && message.dequeueCount >= options.maxDequeueCount) await moveToPoison(message, popReceipt);
    else await queue.updateMessage(message.messageId, popReceipt, undefined, options.visibilityTimeoutSeconds);
  }

  async function hasSucceeded(delivery: Parameters<RunDelivery>[0]): Promise<boolean> {
    try {
      await deps.run(delivery);
      return true;
    } catch {
      // The error was logged where the function ran.
      return false;
    }
  }

  async function moveToPoison(message: DequeuedMessageItem, popReceipt: string): Promise<void> {
    if (!deps.poison) return;
    await sendToPoison(deps.poison, message.messageText);
    log(
      'error',
      `message ${message.messageId} failed ${options.maxDequeueCount} times and was moved to ${deps.poison.name}`,
    );
    await remove(message, popReceipt);
  }

  async function remove(message: DequeuedMessageItem, popReceipt: string): Promise<void> {
    try {
      await queue.deleteMessage(message.messageId, popReceipt);
    } catch (error) {
      // The answer to an earlier delete was lost, or another listener has received the message in the meantime.
      if (!isGone(error)) throw error;
    }
  }

  const polling = poll();
  return {
    async stop() {
      isStopping = true;
      onStop();
      await polling;
      await Promise.all(inHand);
    },
  };
}

function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
