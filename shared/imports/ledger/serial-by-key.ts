import pLimit, { type LimitFunction } from 'p-limit';

/** Runs one thing at a time for each key. */
export interface SerialByKey {
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result>;
}

/** One transaction in flight per connection and process: what the tallies' exactness stands on. */
export function createSerialByKey(): SerialByKey {
  const serialByKey = new Map<string, LimitFunction>();
  return {
    async run(key, work) {
      let lane = serialByKey.get(key);
      if (!lane) {
        lane = pLimit(1);
        serialByKey.set(key, lane);
      }
      try {
        return await lane(work);
      } finally {
        if (lane.activeCount === 0 && lane.pendingCount === 0) serialByKey.delete(key);
      }
    },
  };
}
