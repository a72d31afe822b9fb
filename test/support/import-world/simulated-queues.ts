import type { ImportQueues } from '../../../shared/imports/import-queues.ts';
import type { CheckMessage, ImportMessage } from '../../../shared/imports/messages.ts';
import type { FastClock } from './fast-clock.ts';
import type { Lifetime } from './lifetime.ts';

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

/** The queues of all processes of a world. */
export interface SimulatedQueues {
  queued: Set<QueuedMessage>;
  put(message: QueueMessage, delayMs?: number): void;
  /** The queues as one process uses them. */
  usedBy(lifetime: Lifetime): ImportQueues;
  /** The largest number of rows that had a check message at the same time. */
  rowsWithMessageMax(): number;
}

export function createSimulatedQueues(clock: FastClock): SimulatedQueues {
  const queued = new Set<QueuedMessage>();
  let rowsMax = 0;

  function put(message: QueueMessage, delayMs = 0): void {
    const now = clock.nowMs();
    queued.add({ message: structuredClone(message), visibleAt: now + delayMs, insertedAt: now, deliveries: 0 });
    // Rows, not messages: on a slow machine a batch can become overdue and be sent again, which adds no row.
    const rows = [...queued].flatMap(({ message: { queue, body } }) =>
      queue === 'check' ? [`${body.importId}:${body.line}`] : [],
    );
    rowsMax = Math.max(rowsMax, new Set(rows).size);
  }

  return {
    queued,
    put,
    usedBy: ({ whileAlive }) => ({
      sendPlan: whileAlive(async (body, delayMs) => put({ queue: 'plan', body }, delayMs)),
      sendDispatch: whileAlive(async (body, delayMs) => put({ queue: 'dispatch', body }, delayMs)),
      sendCheck: whileAlive(async (body, delayMs) => put({ queue: 'check', body }, delayMs)),
      getOldestCheckSentAt: whileAlive(async () => {
        const now = clock.nowMs();
        const visible = [...queued].filter(({ message, visibleAt }) => message.queue === 'check' && visibleAt <= now);
        const oldest = visible.map(({ insertedAt }) => insertedAt).sort((a, b) => a - b)[0];
        return oldest === undefined ? undefined : new Date(oldest);
      }),
    }),
    rowsWithMessageMax: () => rowsMax,
  };
}
