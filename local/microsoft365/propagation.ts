import type { ScenarioTenant } from './scenario.ts';

/** What was granted needs time until Exchange lets the app in; asking meanwhile keeps the old answer alive longer. */
export interface Propagation {
  /** Whether a call that is permitted is still refused; asking counts. */
  isDenied(now: number): boolean;
  /** The grants were made anew, just now. */
  startOver(now: number): void;
}

/** As with RBAC for Applications, where 30 minutes idle become at most 2 hours when an app keeps asking. */
const mostExtension = 4;

export function createPropagation(tenant: ScenarioTenant, loadedAt: number): Propagation {
  const { propagation } = tenant;
  if (!propagation) return { isDenied: () => false, startOver: () => undefined };
  const lasts = propagation.seconds * 1000;
  let grantedAt = loadedAt - (tenant.grantsFreshSeconds ?? 0) * 1000;
  let deniedUntil = grantedAt + lasts;
  return {
    isDenied(now) {
      if (now >= deniedUntil) return false;
      if (propagation.extendsWhenAsked) {
        deniedUntil = Math.min(grantedAt + mostExtension * lasts, Math.max(deniedUntil, now + lasts));
      }
      return true;
    },
    startOver(now) {
      grantedAt = now;
      deniedUntil = now + lasts;
    },
  };
}
