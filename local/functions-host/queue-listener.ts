import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import type { RunDelivery } from './deliver-twice.ts';
import type { QueuesOptions } from './host-json.ts';
import { createPollingIntervals } from './polling-intervals.ts';
import { decodeMessage } from './queue-message.ts';
import { createMessageLease, isGone, isMissingQueue, sendToPoison } from './queue-storage.ts';

export interface QueueListenerDeps {
  queue: QueueClient;
  /** Absent for queues that have none: a poison queue's own messages are tried for ever. */
  poison: QueueClient | undefined;
  options: QueuesOptions;
  run: RunDelivery;
  log: (level: 'information' | 'warning' | 'error', message: string) => void;
}

export interface QueueListener {
  /** Fetches no more; resolves when the messages in hand are done, those just received being given back. */
  stop(): Promise<void>;
}

/** How long a received message stays hidden; its lease is renewed at half of that. */
const LEASE_SECONDS = 600;

/**
 * Polls one queue as the host's trigger does: whole batches, a new one as soon as no more than `newBatchThreshold`
 * messages are in hand. Storage that is away or a queue that is missing only slows the polling down.
 */
export function listenToQueue(needs: QueueListenerDeps): QueueListener {
  const { queue, options, log } = needs;
  const intervals = createPollingIntervals(options.maxPollingIntervalMs);
  const inHand = new Set<Promise<void>>();
  let stopping = false;
  let away = false;
  let onFewer: () => void = () => undefined;
  let onStop: () => void = () => undefined;

  async function fetchBatch(): Promise<DequeuedMessageItem[]> {
    try {
      const received = await queue.receiveMessages({
        numberOfMessages: options.batchSize,
        visibilityTimeout: LEASE_SECONDS,
      });
      if (away) log('information', `${queue.name} answers again`);
      away = false;
      return received.receivedMessageItems;
    } catch (error) {
      if (!isMissingQueue(error)) {
        if (!away) log('warning', `${queue.name} does not answer: ${words(error)}`);
        away = true;
      }
      return [];
    }
  }

  function pause(ms: number): Promise<void> {
    if (stopping) return Promise.resolve();
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
    while (!stopping) {
      const messages = await fetchBatch();
      if (messages.length === 0) {
        await pause(intervals.next());
        continue;
      }
      intervals.reset();
      for (const message of messages) take(message);
      if (!stopping && inHand.size > options.newBatchThreshold) await fewerInHand();
    }
  }

  function take(message: DequeuedMessageItem): void {
    const work = (stopping ? giveBack(message) : handle(message)).catch((error: unknown) => {
      // Whatever was left undone, the message comes again when its lease ends.
      log('warning', `message ${message.messageId} of ${queue.name} was left: ${words(error)}`);
    });
    inHand.add(work);
    void work.then(() => {
      inHand.delete(work);
      if (inHand.size <= options.newBatchThreshold) onFewer();
    });
  }

  async function giveBack(message: DequeuedMessageItem): Promise<void> {
    await queue.updateMessage(message.messageId, message.popReceipt, undefined, 0);
  }

  async function handle(message: DequeuedMessageItem): Promise<void> {
    const text = decodeMessage(message.messageText, options.messageEncoding);
    if (needs.poison && (text === undefined || message.dequeueCount > options.maxDequeueCount)) {
      return await poisonMessage(message, message.popReceipt);
    }
    const lease = createMessageLease(queue, message, LEASE_SECONDS, (error) =>
      log('warning', `the lease of message ${message.messageId} of ${queue.name} was not renewed: ${words(error)}`),
    );
    const done = text !== undefined && (await succeeds({ text, message, dequeueCount: message.dequeueCount }));
    const popReceipt = await lease.end();
    if (done) await remove(message, popReceipt);
    else if (needs.poison && message.dequeueCount >= options.maxDequeueCount) await poisonMessage(message, popReceipt);
    else await queue.updateMessage(message.messageId, popReceipt, undefined, options.visibilityTimeoutSeconds);
  }

  async function succeeds(delivery: Parameters<RunDelivery>[0]): Promise<boolean> {
    try {
      await needs.run(delivery);
      return true;
    } catch {
      // Logged where it was run.
      return false;
    }
  }

  async function poisonMessage(message: DequeuedMessageItem, popReceipt: string): Promise<void> {
    if (!needs.poison) return;
    await sendToPoison(needs.poison, message.messageText);
    log(
      'error',
      `message ${message.messageId} has reached ${options.maxDequeueCount} tries: moved to ${needs.poison.name}`,
    );
    await remove(message, popReceipt);
  }

  async function remove(message: DequeuedMessageItem, popReceipt: string): Promise<void> {
    try {
      await queue.deleteMessage(message.messageId, popReceipt);
    } catch (error) {
      // Deleted by an earlier try whose answer was lost, or handed to someone else meanwhile: either way not ours.
      if (!isGone(error)) throw error;
    }
  }

  const polling = poll();
  return {
    async stop() {
      stopping = true;
      onStop();
      await polling;
      await Promise.all(inHand);
    },
  };
}

function words(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
}
