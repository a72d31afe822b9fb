import { DomainError } from '../../kernel/errors.ts';
import type { Budget } from './rate-limits.ts';
import type { Turns } from './turns.ts';

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

/**
 * Refuses a caller that has exceeded a limit, after a pause if it keeps coming back.
 *
 * @throws DomainError `rate_limited`
 */
export async function refuseExceeded(
  { turns }: { turns: Pick<Turns, 'holdRefusal'> },
  line: string,
  budgets: readonly Budget[],
): Promise<void> {
  const exceeded = budgets.filter((budget) => budget.isExceeded);
  if (exceeded.length === 0) return;
  await turns.holdRefusal(line);
  const retryAfterSeconds = Math.max(...exceeded.map((budget) => budget.retryAfterSeconds));
  const unit = retryAfterSeconds === 1 ? 'second' : 'seconds';
  throw new DomainError('rate_limited', `Too many requests. Wait ${retryAfterSeconds} ${unit}, then try again.`, {
    retryAfterSeconds,
    context: { policy: exceeded.map(({ policy }) => policy).join(',') },
  });
}
