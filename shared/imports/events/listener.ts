import { isCheck } from '../../mailboxes/mailbox-action.ts';
import { type Import, isEnded } from '../import.ts';
import { settledStates } from '../ledger/row.ts';
import { type Position, parsePosition, QUIET_MS, startPosition } from './position.ts';
import { hasToldAll, type LogPage, moveTo, takeBatches } from './take-batches.ts';
import { type ImportEvent, type ImportView, tellBatches, tellEnd } from './tell.ts';

/** Someone who is told about an import, as fast as they take it. What nobody takes is not kept: it is read again later. */
export interface Listener {
  /** Whether it waits for events. */
  isReady(): boolean;
  /** Whether it has come back, and has not been told yet what happened in the meantime. */
  isBehind(): boolean;
  /** From when on it needs the log. `undefined` as long as it has no position. */
  readFrom(): number | undefined;
  /** Tells what is new in this view, and in this page of the log. Returns whether there was anything. */
  offer(view: ImportView, page: LogPage | undefined, now: Date): boolean;
  /** Resolves to the next events, or to `undefined` if there are no more. */
  next(): Promise<readonly ImportEvent[] | undefined>;
  end(): void;
}

/**
 * Pages begin this long before the newest batch that is known: a transaction takes a moment, and clocks differ a little.
 * If that was not enough, there is a gap, and the next pages begin earlier and earlier.
 */
const OVERLAP_MS = 3_000;
const ALL = Number.POSITIVE_INFINITY;
const OVERLAPS_MS = [OVERLAP_MS, 15_000, QUIET_MS, ALL, ALL];

/** @param lastEventId where to go on. Without it, the listener is told the progress of now, and what follows. */
export function createListener(lastEventId: string | undefined): Listener {
  const parsed = lastEventId === undefined ? undefined : parsePosition(lastEventId);
  const told = { position: parsed ?? startPosition(0), progressAt: 0, accepted: 0 };
  const { position } = told;
  let hasPosition = parsed !== undefined;
  let isBehind = hasPosition;
  let overlap = 0;
  let passFrom = overlapFrom(position, overlap);
  let from = passFrom;
  let resolveNext: ((events: readonly ImportEvent[] | undefined) => void) | undefined;
  let isOver = false;

  function beginPass(nextOverlap: number): void {
    overlap = nextOverlap;
    passFrom = overlapFrom(position, overlap);
    from = passFrom;
  }

  /** Everybody without a position begins where the import is now. */
  function findPosition({ record, tallies }: ImportView, now: Date): boolean {
    if (hasSettled(record) && !isEnded(record.status) && !tallies) return false;
    moveTo(position, tallies ?? [], now.getTime());
    beginPass(0);
    return true;
  }

  /** Whether this page completes what the listener is told of the log. */
  function finishPage(page: LogPage, now: Date): boolean {
    if (!page.tallies) {
      const last = page.batches.at(-1)?.settledAt.getTime() ?? from;
      position.since = Math.max(position.since, Math.min(last, now.getTime()));
      from = last - OVERLAP_MS > from ? last - OVERLAP_MS : Math.max(from + 1, last);
      return false;
    }
    // What is not in the whole log, also at the second look, is lost. The counts are right nevertheless.
    const isComplete = hasToldAll(position, page.tallies) || overlap === OVERLAPS_MS.length - 1;
    if (isComplete) moveTo(position, page.tallies, now.getTime());
    beginPass(isComplete ? 0 : overlap + 1);
    isBehind &&= !isComplete;
    return isComplete;
  }

  return {
    isReady: () => resolveNext !== undefined,
    isBehind: () => isBehind,
    readFrom: () => (hasPosition ? from : undefined),
    offer(view, page, now) {
      if (!resolveNext) return false;
      const isNew = !hasPosition;
      hasPosition ||= findPosition(view, now);
      if (!hasPosition) return false;
      const isForThis = !isNew && page !== undefined && page.from <= from;
      const events = tellBatches(told, view, isForThis ? takeBatches(position, page, passFrom) : [], now);
      const isComplete = (isForThis && finishPage(page, now)) || isNew || hasToldFinal(position, view);
      if (isEnded(view.record.status) && isComplete) {
        events.push(...tellEnd(told, view, now));
        isOver = true;
      }
      if (events.length === 0) return false;
      resolveNext(events);
      resolveNext = undefined;
      return true;
    },
    next() {
      if (isOver) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        resolveNext = resolve;
      });
    },
    end() {
      isOver = true;
      resolveNext?.(undefined);
      resolveNext = undefined;
    },
  };
}

/** Whether rows may be settled in this state. An action that asks nobody settles them while it is planned. */
export function hasSettled({ status, action }: Pick<Import, 'status' | 'action'>): boolean {
  if (status === 'planning') return action !== undefined && !isCheck(action);
  return status !== 'accepted';
}

/** An import that has ended has counts that never change. */
function hasToldFinal({ told }: Position, { record: { counts } }: ImportView): boolean {
  return counts !== undefined && settledStates.every((state) => told[state] === counts[state]);
}

function overlapFrom({ since }: Position, overlap: number): number {
  return Math.max(0, since - (OVERLAPS_MS[overlap] ?? ALL));
}
