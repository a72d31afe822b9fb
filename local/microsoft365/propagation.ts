import type { ScenarioTenant } from './scenario.ts';

/** New grants take time to reach Exchange. Calls during that time can make it last longer. */
export interface Propagation {
  /** Whether Exchange still refuses a permitted call. Asking counts as a call of the app. */
  isDenied(now: number): boolean;
  /** Starts the propagation again because the grants have just changed. */
  startOver(now: number): void;
}

/** RBAC for Applications takes 30 minutes if the app is idle, and up to 2 hours if it keeps calling. */
const EXTENSION_FACTOR_MAX = 4;

export function createPropagation(tenant: ScenarioTenant, loadedAt: number): Propagation {
  const { propagation } = tenant;
  if (!propagation) return { isDenied: () => false, startOver: () => undefined };
  const durationMs = propagation.seconds * 1000;
  let grantedAt = loadedAt - (tenant.grantsFreshSeconds ?? 0) * 1000;
  let deniedUntil = grantedAt + durationMs;
  return {
    isDenied(now) {
      if (now >= deniedUntil) return false;
      if (propagation.extendsWhenAsked) {
        deniedUntil = Math.min(grantedAt + EXTENSION_FACTOR_MAX * durationMs, Math.max(deniedUntil, now + durationMs));
      }
      return true;
    },
    startOver(now) {
      grantedAt = now;
      deniedUntil = now + durationMs;
    },
  };
}
