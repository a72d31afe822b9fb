import pLimit, { type LimitFunction } from 'p-limit';

/** Runs one thing at a time for each key. */
export interface Lanes {
  run<Result>(key: string, work: () => Promise<Result>): Promise<Result>;
}

/** One transaction in flight per connection and process: what the tallies' exactness stands on. */
export function createLanes(): Lanes {
  const lanes = new Map<string, LimitFunction>();
  return {
    async run(key, work) {
      let lane = lanes.get(key);
      if (!lane) {
        lane = pLimit(1);
        lanes.set(key, lane);
      }
      try {
        return await lane(work);
      } finally {
        if (lane.activeCount === 0 && lane.pendingCount === 0) lanes.delete(key);
      }
    },
  };
}
