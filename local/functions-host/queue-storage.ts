import { type DequeuedMessageItem, QueueClient, RestError } from '@azure/storage-queue';

/**
 * A client for one queue. It retries only for a short time: the next poll tries again anyway, and a message that could
 * not be deleted within seconds is simply delivered once more.
 */
export function createQueueClient(connectionString: string, queueName: string): QueueClient {
  return new QueueClient(connectionString, queueName, {
    retryOptions: { maxTries: 3, retryDelayInMs: 100, maxRetryDelayInMs: 1_000 },
  });
}

/** The queue for messages that keep failing. A poison queue itself has none, and neither has a queue with a long name. */
export function poisonQueueName(queueName: string): string | undefined {
  const name = `${queueName}-poison`;
  return queueName.endsWith('-poison') || name.length > 63 ? undefined : name;
}

export function isMissingQueue(error: unknown): boolean {
  return error instanceof RestError && error.statusCode === 404;
}

/** The message was deleted, or its pop receipt is no longer the newest. */
export function isGone(error: unknown): boolean {
  return error instanceof RestError && (error.statusCode === 404 || error.code === 'PopReceiptMismatch');
}

/** Copies the encoded text unchanged. Creates the poison queue for its first message. */
export async function sendToPoison(poison: QueueClient, messageText: string): Promise<void> {
  try {
    await poison.sendMessage(messageText);
  } catch (error) {
    if (!isMissingQueue(error)) throw error;
    await poison.createIfNotExists();
    await poison.sendMessage(messageText);
  }
}

export interface MessageLease {
  /** Stops renewing and resolves to the newest pop receipt: each renewal replaces it. */
  end(): Promise<string>;
}

/** Keeps a received message hidden from other listeners until `end`. Renews the lease at half of its time. */
export function createMessageLease(
  queue: QueueClient,
  message: DequeuedMessageItem,
  leaseSeconds: number,
  onFailure: (error: unknown) => void,
): MessageLease {
  let popReceipt = message.popReceipt;
  let renewing: Promise<void> = Promise.resolve();
  const renew = async () => {
    try {
      const renewed = await queue.updateMessage(message.messageId, popReceipt, undefined, leaseSeconds);
      popReceipt = renewed.popReceipt ?? popReceipt;
    } catch (error) {
      onFailure(error);
    }
  };
  const timer = setInterval(
    () => {
      renewing = renew();
    },
    (leaseSeconds * 1000) / 2,
  );
  return {
    async end() {
      clearInterval(timer);
      await renewing;
      return popReceipt;
    },
  };
}
