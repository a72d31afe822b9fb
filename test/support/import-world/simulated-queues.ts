import type { ImportQueues } from '../../../shared/imports/import-queues.ts';
import type { CheckMessage, ImportMessage } from '../../../shared/imports/messages.ts';
import { copyOf } from '../../fakes/copy-of.ts';
import type { Faults } from './faults.ts';
import type { Lifetime } from './lifetime.ts';
import type { SimulatedClock } from './simulated-clock.ts';

export type QueueMessage =
  | { queue: 'plan' | 'dispatch'; body: ImportMessage }
  | { queue: 'check' | 'poison'; body: CheckMessage };

/** A message on a queue. A worker hides it while it works on it. */
export interface QueuedMessage {
  message: QueueMessage;
  visibleAt: number;
  insertedAt: number;
  deliveries: number;
}

/** What was put on the queue of checks. */
interface PutCounts {
  /** Messages for rows. Cleanup messages are not among them. */
  checks: number;
  cleanups: number;
  /** The largest number of messages that one row had at the same time. */
  perRowMax: number;
  /** The largest number of rows that had a message at the same time. */
  rowsMax: number;
}

/** The queues of all processes of a world. */
export interface SimulatedQueues {
  queued: Set<QueuedMessage>;
  puts: PutCounts;
  put(message: QueueMessage, delayMs?: number): void;
  remove(item: QueuedMessage): void;
  /** The queues as one process uses them. */
  usedBy(lifetime: Lifetime): ImportQueues;
}

export function createSimulatedQueues(clock: SimulatedClock, faults: Faults, random: () => number): SimulatedQueues {
  const queued = new Set<QueuedMessage>();
  const ofRow = new Map<string, number>();
  const puts: PutCounts = { checks: 0, cleanups: 0, perRowMax: 0, rowsMax: 0 };

  function count({ message: { queue, body } }: QueuedMessage, change: 1 | -1): void {
    if (queue !== 'check' || body.cleanupOnly) return;
    const row = `${body.importId}:${body.line}`;
    const messages = (ofRow.get(row) ?? 0) + change;
    if (messages > 0) ofRow.set(row, messages);
    else ofRow.delete(row);
    puts.perRowMax = Math.max(puts.perRowMax, messages);
    puts.rowsMax = Math.max(puts.rowsMax, ofRow.size);
  }

  function put(message: QueueMessage, delayMs = 0): void {
    const now = clock.nowMs();
    if (message.queue === 'check') {
      puts[message.body.cleanupOnly ? 'cleanups' : 'checks']++;
      if (!message.body.cleanupOnly && faults.lostMessages > 0 && random() < faults.lostMessages) return;
    }
    // Whole seconds, as in Azure.
    const visibleAt = now + Math.ceil(delayMs / 1000) * 1000;
    const item = { message: copyOf(message), visibleAt, insertedAt: now, deliveries: 0 };
    queued.add(item);
    count(item, 1);
  }

  return {
    queued,
    puts,
    put,
    remove(item) {
      if (queued.delete(item)) count(item, -1);
    },
    usedBy: ({ whileAlive }) => ({
      sendPlan: whileAlive(async (body, delayMs) => put({ queue: 'plan', body }, delayMs)),
      sendDispatch: whileAlive(async (body, delayMs) => put({ queue: 'dispatch', body }, delayMs)),
      sendCheck: whileAlive(async (body, delayMs) => put({ queue: 'check', body }, delayMs)),
      getOldestCheckSentAt: whileAlive(async () => {
        const now = clock.nowMs();
        for (const { message, visibleAt, insertedAt } of queued) {
          if (message.queue === 'check' && visibleAt <= now) return new Date(insertedAt);
        }
        return undefined;
      }),
    }),
  };
}
