import { DomainError } from '../kernel/errors.ts';
import type { Budget } from './rate-limits.ts';

/**
 * The headers of draft-ietf-httpapi-ratelimit-headers: for each policy its quota and window in seconds, and what is
 * left of it and for how many seconds.
 */
export function rateLimitHeaders(budgets: readonly Budget[]): Record<string, string> {
  return {
    'ratelimit-policy': budgets
      .map(({ policy, quota, windowSeconds: w }) => `"${policy}";q=${quota};w=${w}`)
      .join(', '),
    ratelimit: budgets.map(({ policy, remaining, resetSeconds: t }) => `"${policy}";r=${remaining};t=${t}`).join(', '),
  };
}

/** @throws DomainError `rate_limited` if a limit is exceeded */
export function refuseExceeded(budgets: readonly Budget[]): void {
  const exceeded = budgets.filter((budget) => budget.isExceeded);
  if (exceeded.length === 0) return;
  const retryAfterSeconds = Math.max(...exceeded.map(({ resetSeconds }) => resetSeconds));
  const unit = retryAfterSeconds === 1 ? 'second' : 'seconds';
  throw new DomainError('rate_limited', `Too many requests. Wait ${retryAfterSeconds} ${unit}, then try again.`, {
    retryAfterSeconds,
    context: { policy: exceeded.map(({ policy }) => policy).join(',') },
  });
}
