const INTERVAL_MIN_MS = 100;
const JITTER = 0.2;

/** How long to wait before polling a queue again. */
export interface PollingIntervals {
  reset(): void;
  next(): number;
}

/** The randomized exponential back-off of the real host: 100 ms after a message, then doubling up to the maximum. */
export function createPollingIntervals(maxMs: number, random: () => number = Math.random): PollingIntervals {
  let exponent = 0;
  let current = INTERVAL_MIN_MS;
  return {
    reset() {
      exponent = 0;
      current = INTERVAL_MIN_MS;
    },
    next() {
      if (current >= maxMs) return maxMs;
      const factor = 1 - JITTER + random() * 2 * JITTER;
      const increment = exponent === 0 ? 0 : factor * 2 ** (exponent - 1) * INTERVAL_MIN_MS;
      exponent++;
      current = Math.min(INTERVAL_MIN_MS + increment, maxMs);
      return current;
    },
  };
}
