import type { DequeuedMessageItem } from '@azure/storage-queue';
import type { Runnable } from './admin.ts';
import { type AppSettings, requireConnectionString, resolveSettings } from './app-settings.ts';
import type { RegisteredFunction } from './core.ts';
import { deliverTwice, type RunDelivery } from './deliver-twice.ts';
import { HostError } from './host-error.ts';
import type { QueuesOptions } from './host-json.ts';
import { type Invoke, triggerOf } from './invocation.ts';
import type { HostLog } from './log.ts';
import { listenToQueue, type QueueListener } from './queue-listener.ts';
import { messageMetadata } from './queue-message.ts';
import { createQueueClient, poisonQueueName } from './queue-storage.ts';

export interface QueueFunction extends Runnable {
  listen(): QueueListener;
}

/** Reads the options of a queue trigger. Polling begins with `listen`. */
export function prepareQueueFunction(
  fn: RegisteredFunction,
  options: QueuesOptions,
  settings: AppSettings,
  invoke: Invoke,
  log: HostLog,
): QueueFunction {
  const { name } = fn.metadata;
  const trigger = triggerOf(fn).options;
  if (typeof trigger.queueName !== 'string') throw new HostError(`${name}: the queue trigger names no queue`);
  const queueName = resolveSettings(trigger.queueName, settings, name);
  const connectionString = requireConnectionString(trigger.connection, settings, name);
  const poisonName = poisonQueueName(queueName);

  const run: RunDelivery = async (delivery) => {
    await invoke(fn, { data: { string: delivery.text }, triggerMetadata: messageMetadata(delivery) });
  };
  const twiceEveryNth = Number(settings.MUSTER_HOST_DELIVER_TWICE ?? 0);

  return {
    fn,
    run: (text) => run({ text, message: syntheticMessage(text), dequeueCount: 1 }),
    listen: () =>
      listenToQueue({
        queue: createQueueClient(connectionString, queueName),
        poison: poisonName === undefined ? undefined : createQueueClient(connectionString, poisonName),
        options,
        run: twiceEveryNth > 0 ? deliverTwice(run, options.maxDequeueCount, twiceEveryNth) : run,
        log: (level, message) => log(level, name, message),
      }),
  };
}

/** The message of a run through the admin route, which comes from no queue. */
function syntheticMessage(messageText: string): DequeuedMessageItem {
  const now = new Date();
  const day = 24 * 60 * 60 * 1000;
  return {
    messageId: crypto.randomUUID(),
    insertedOn: now,
    expiresOn: new Date(now.getTime() + 7 * day),
    nextVisibleOn: now,
    popReceipt: 'admin',
    dequeueCount: 1,
    messageText,
  };
}
