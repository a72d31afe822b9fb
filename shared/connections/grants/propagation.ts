/**
 * When to ask again after a refusal that came soon after the grants changed.
 *
 * Grants of RBAC for Applications take effect after 30 minutes, or after up to 2 hours if the app keeps asking in the
 * meantime, because each request extends Exchange's cache
 * (https://learn.microsoft.com/exchange/permissions-exo/application-rbac). So we ask rarely, and leave the cache time
 * to expire in between.
 */
export interface PropagationSteps {
  /**
   * When to ask next. `undefined` after the last step: from then on, a refusal is final. Skips a step that comes too
   * soon for the cache to expire, unless it is the last one.
   */
  nextAfter(grantsChangedAt: Date, now: Date): Date | undefined;
  /** The latest step that has passed. `undefined` before the first one. */
  lastBefore(grantsChangedAt: Date, now: Date): Date | undefined;
}

/** @param stepsMs milliseconds since the grants changed, ascending. A single zero turns waiting off. */
export function createPropagationSteps(stepsMs: readonly number[]): PropagationSteps {
  // A shorter time without requests does not let the cache expire.
  const idleMinMs = (stepsMs[0] ?? 0) / 2;
  const last = stepsMs.at(-1);
  return {
    nextAfter(grantsChangedAt, now) {
      const passed = now.getTime() - grantsChangedAt.getTime();
      const step = stepsMs.find((ms) => ms > passed && (ms - passed >= idleMinMs || ms === last));
      return step === undefined ? undefined : new Date(grantsChangedAt.getTime() + step);
    },
    lastBefore(grantsChangedAt, now) {
      const passed = now.getTime() - grantsChangedAt.getTime();
      const step = stepsMs.filter((ms) => ms <= passed).at(-1);
      return step === undefined ? undefined : new Date(grantsChangedAt.getTime() + step);
    },
  };
}
