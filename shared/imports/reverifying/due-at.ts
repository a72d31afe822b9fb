import { createHash } from 'node:crypto';
import type { Mailbox } from '../../mailboxes/mailbox.ts';

export interface ReverifyTimes {
  /** No mailbox that works goes unchecked for longer. */
  reverifyAfterMs: number;
  /** The same for a mailbox whose last check did not pass. */
  reverifyFailedAfterMs: number;
}

type Checked = Pick<Mailbox, 'address' | 'status' | 'checks' | 'history' | 'lastCheck' | 'createdAt'>;

/** A mailbox that has failed for longer is checked no more often than one that works. */
const SOONER_FOR_MS = 30 * 86_400_000;
/** The share of the interval after a check in which a mailbox is left alone. */
const REST = 1 / 7;
/** Clocks of processes differ by less. */
const CLOCK_OFF_MS = 3_600_000;

/** Whether a mailbox is in a state that is checked again by itself: not paused, disconnected, or being checked. */
export function isReverified({ status, pausedAt, openRow, removedBy }: Mailbox): boolean {
  const hasVerdict = status === 'active' || status === 'failed' || status === 'inconclusive';
  const isInUse = status === 'failed' || pausedAt === undefined;
  return hasVerdict && isInUse && openRow === undefined && removedBy === undefined;
}

/**
 * When a mailbox is checked again. Each mailbox has a moment of its own in a period of six sevenths of its interval, so
 * that mailboxes that were imported together are spread evenly. For the other seventh after a check, it is left alone.
 * Together they are never longer than the interval.
 */
export function dueAt(connectionId: string, mailbox: Checked, times: ReverifyTimes): Date {
  const checkedAt = lastCheckedAt(mailbox).getTime();
  const intervalMs = intervalOf(mailbox, checkedAt, times);
  const periodMs = intervalMs * (1 - REST);
  const own = fractionOf(`${connectionId} ${mailbox.address}`);
  const earliest = checkedAt + intervalMs * REST;
  return new Date(Math.ceil((Math.ceil(earliest / periodMs - own) + own) * periodMs));
}

/** Whether a mailbox is due. A check that lies in the future was noted by a clock that was wrong. */
export function isDue(connectionId: string, mailbox: Checked, times: ReverifyTimes, now: Date): boolean {
  return isAhead(lastCheckedAt(mailbox), now) || dueAt(connectionId, mailbox, times) <= now;
}

/** Whether a time that is over for the process that has noted it is so far ahead that its clock was wrong. */
export function isAhead(time: Date, now: Date): boolean {
  return time.getTime() - now.getTime() > CLOCK_OFF_MS;
}

function intervalOf(mailbox: Checked, checkedAt: number, times: ReverifyTimes): number {
  const { status, history, lastCheck, createdAt } = mailbox;
  const hasPassed = status === 'active' && (lastCheck === undefined || lastCheck.verdict === 'passed');
  if (hasPassed) return times.reverifyAfterMs;
  const since = (history?.[0]?.changedAt ?? createdAt).getTime();
  const isOld = status !== 'active' && checkedAt - since > SOONER_FOR_MS;
  return isOld ? times.reverifyAfterMs : Math.min(times.reverifyFailedAfterMs, times.reverifyAfterMs);
}

/** Mailboxes from before the last check was kept have the time of their findings. */
function lastCheckedAt({ lastCheck, checks, createdAt }: Checked): Date {
  if (lastCheck) return lastCheck.checkedAt;
  const times = Object.values(checks).map(({ checkedAt }) => checkedAt.getTime());
  return new Date(Math.max(createdAt.getTime(), ...times));
}

/** From 0 to 1, the same for the same text. */
function fractionOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
}
