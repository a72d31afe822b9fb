import type { SecretAlert } from '../connections/expiry/secret-alert.ts';

/** When to tell people that a credential expires. */
export interface Thresholds {
  /** Days before the expiry. */
  daysBefore: readonly number[];
  /** Percent of the lifetime that is left. */
  lifetimeLeft: readonly number[];
}

export type Threshold = { daysBefore: number } | { lifetimeLeft: number };

export type Notice = { type: 'secret.expired' } | { type: 'secret.expiring'; threshold: Threshold };

const DAY_MS = 86_400_000;

/**
 * Decides whether people must be told about a credential now. Each threshold is told once. Several that have passed
 * since the last run, because runs were missed or alerts were snoozed, are told by one notice that names the last of them.
 * That it has expired is told once, whatever was acknowledged or snoozed.
 *
 * All instants are absolute, so neither time zones nor leap days matter: a day is 24 hours.
 *
 * @param isExpired also if Microsoft says so before the expiry that was entered
 */
export function decideNotice(
  alert: SecretAlert,
  { daysBefore, lifetimeLeft }: Thresholds,
  now: Date,
  isExpired = alert.expiresAt <= now,
): Notice | undefined {
  const { expiresAt, seenAt, toldAt, expiredToldAt, acknowledgedAt, snoozeEndsAt } = alert;
  if (isExpired || expiresAt <= now) return expiredToldAt ? undefined : { type: 'secret.expired' };
  if (acknowledgedAt || (snoozeEndsAt && snoozeEndsAt > now)) return undefined;
  const end = expiresAt.getTime();
  const lifetime = Math.max(0, end - seenAt.getTime());
  const passed = [
    ...daysBefore.map((days) => ({ at: end - days * DAY_MS, threshold: { daysBefore: days } })),
    ...lifetimeLeft.map((percent) => ({ at: end - (lifetime * percent) / 100, threshold: { lifetimeLeft: percent } })),
  ].filter(({ at }) => at <= now.getTime() && (toldAt === undefined || at > toldAt.getTime()));
  const last = passed.toSorted((a, b) => a.at - b.at).at(-1);
  return last && { type: 'secret.expiring', threshold: last.threshold };
}

/** The alert after people were told. */
export function told(alert: SecretAlert, { type }: Notice, now: Date): SecretAlert {
  return type === 'secret.expired' ? { ...alert, expiredToldAt: now } : { ...alert, toldAt: now };
}
