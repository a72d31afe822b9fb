import { DomainError } from './errors.ts';

/** How much of each kind one customer may have. */
export interface Quotas {
  connectionsMax: number;
  /** Operators' keys are counted apart from a customer's own. */
  keysMax: number;
  webhooksMax: number;
  /** Imports and actions on many mailboxes that have not ended. Paused ones count. */
  runningImportsMax: number;
  /** Rows of imports that are stored without a slot: rejected, duplicate and cancelled ones, and those of actions that ask nobody. */
  rejectedRowsMax: number;
}

/** The refusal of an import whose rejected and duplicate rows do not fit. */
export function rejectedRowsReached(limit: number): DomainError {
  return quotaReached(
    'rejected, duplicate and cancelled rows in all imports',
    limit,
    'Wait until running imports end, delete connections that you no longer need, or ask for a higher quota.',
  );
}

/**
 * The refusal of one more when a customer has `limit` of them.
 *
 * @param advice what the customer can do about it
 */
export function quotaReached(what: string, limit: number, advice: string): DomainError {
  return new DomainError('quota_reached', `You can have at most ${limit} ${what}. ${advice}`, { members: { limit } });
}
