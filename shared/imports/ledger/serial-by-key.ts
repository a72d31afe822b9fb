import pLimit, { type LimitFunction } from 'p-limit';

/** Runs one piece of work at a time for each key. */
export interface SerialByKey {
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result>;
}

/** With the connection as the key: one transaction at a time per connection and process. Exact tallies depend on it. */
export function createSerialByKey(): SerialByKey {
  const queues = new Map<string, LimitFunction>();
  return {
    async run(key, work) {
      let queue = queues.get(key);
      if (!queue) {
        queue = pLimit(1);
        queues.set(key, queue);
      }
      try {
        return await queue(work);
      } finally {
        if (queue.activeCount === 0 && queue.pendingCount === 0) queues.delete(key);
      }
    },
  };
}
