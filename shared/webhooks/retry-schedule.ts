/** Says when a failed delivery is tried again. */
export interface RetrySchedule {
  /**
   * How long to wait after this number of attempts; `undefined` after the last one.
   *
   * @param retryAfterSeconds what the receiver has asked for. It makes a wait longer, up to the longest one
   */
  delayMs(attempts: number, retryAfterSeconds?: number): number | undefined;
}

/** Each wait is longer or shorter by up to this share, so that receivers which come back are not flooded. */
const JITTER = 0.2;

/**
 * @param stepsMs when to try again, in milliseconds since the first attempt, ascending
 * @param random between 0 and 1
 */
export function createRetrySchedule(stepsMs: readonly number[], random: () => number = Math.random): RetrySchedule {
  const waits = stepsMs.map((ms, i) => ms - (stepsMs[i - 1] ?? 0));
  const longest = Math.max(0, ...waits);
  return {
    delayMs(attempts, retryAfterSeconds = 0) {
      const wait = waits[attempts - 1];
      if (wait === undefined) return undefined;
      const asked = Math.min(longest, retryAfterSeconds * 1000);
      return Math.round(Math.max(wait * (1 + JITTER * (2 * random() - 1)), asked));
    },
  };
}
