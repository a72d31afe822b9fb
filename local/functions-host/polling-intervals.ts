const MINIMUM_MS = 100;
const RANDOMISATION = 0.2;

/** How long to wait before polling a queue again. */
export interface PollingIntervals {
  reset(): void;
  next(): number;
}

/** The randomized exponential back-off of the real host: 100 ms after a message, then doubling up to the maximum. */
export function createPollingIntervals(maximumMs: number, random: () => number = Math.random): PollingIntervals {
  let exponent = 0;
  let current = MINIMUM_MS;
  return {
    reset() {
      exponent = 0;
      current = MINIMUM_MS;
    },
    next() {
      if (current >= maximumMs) return maximumMs;
      const factor = 1 - RANDOMISATION + random() * 2 * RANDOMISATION;
      const increment = exponent === 0 ? 0 : factor * 2 ** (exponent - 1) * MINIMUM_MS;
      exponent++;
      current = Math.min(MINIMUM_MS + increment, maximumMs);
      return current;
    },
  };
}
