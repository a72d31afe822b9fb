/**
 * When a connection that was refused soon after its grants changed is asked again.
 *
 * Grants of RBAC for Applications act after 30 minutes, or after up to 2 hours when the app keeps asking meanwhile, for
 * each question prolongs what Exchange remembers (https://learn.microsoft.com/exchange/permissions-exo/application-rbac).
 * So the questions are few, and far enough apart for the memory to fade.
 */
export interface PropagationSteps {
  /**
   * The next instant at which to ask; `undefined` once the last step is over: a refusal then counts as it is. A step
   * that is so near that nothing would have faded is passed over, unless it is the last.
   */
  nextAfter(grantsChangedAt: Date, now: Date): Date | undefined;
  /** The latest step that is over. */
  lastBefore(grantsChangedAt: Date, now: Date): Date | undefined;
}

/** @param stepsMs ascending, since the change of the grants; a zero alone waits for nothing */
export function createPropagationSteps(stepsMs: readonly number[]): PropagationSteps {
  const leastIdleMs = (stepsMs[0] ?? 0) / 2;
  const last = stepsMs.at(-1);
  return {
    nextAfter(grantsChangedAt, now) {
      const passed = now.getTime() - grantsChangedAt.getTime();
      const step = stepsMs.find((ms) => ms > passed && (ms - passed >= leastIdleMs || ms === last));
      return step === undefined ? undefined : new Date(grantsChangedAt.getTime() + step);
    },
    lastBefore(grantsChangedAt, now) {
      const passed = now.getTime() - grantsChangedAt.getTime();
      const step = stepsMs.filter((ms) => ms <= passed).at(-1);
      return step === undefined ? undefined : new Date(grantsChangedAt.getTime() + step);
    },
  };
}
