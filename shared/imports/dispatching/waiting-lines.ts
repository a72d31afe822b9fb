import type { Import } from '../import.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { endOfSent } from '../sent-batches.ts';
import type { Flow } from './flow.ts';
import type { Shift } from './shift.ts';

/** A range of lines: the first, and one past the last. */
export interface Lines {
  from: number;
  to: number;
}

const NARROW_EVERY_MS = 30_000;
/** A range that storage reads as one page is short enough. */
const SHORT = 1_000;

/** The lines among which rows can be waiting. Searches for them read no others. */
export function waitingLines(record: Pick<Import, 'batches' | 'cursor' | 'scoutedLines'>, flow: Flow): Lines {
  const to = endOfSent(record);
  return {
    from: record.batches.reduce((least, batch) => Math.min(least, batch.from), Math.min(flow.waitingFrom, to)),
    to,
  };
}

/**
 * Looks now and then for the first row that waits, so that the lines above stay few in a long import: rows wait for
 * minutes, while it gets far ahead of them.
 */
export async function narrowWaitingLines(
  { ledger }: { ledger: Pick<Ledger, 'findRows'> },
  shift: Pick<Shift, 'lease' | 'flow' | 'narrowedAt'>,
  now: number,
): Promise<void> {
  const { lease, flow } = shift;
  const { connectionId, id } = lease.record;
  const { from, to } = waitingLines(lease.record, flow);
  if (to - from <= SHORT || now - shift.narrowedAt < NARROW_EVERY_MS) return;
  shift.narrowedAt = now;
  const query = { fromLine: from, toLine: to, states: ['waiting'] as const, limit: 1 };
  const [first] = await ledger.findRows(connectionId, id, query);
  // A row that waits from now on is in a batch, which notes it when it has been looked at.
  flow.waitingFrom = first?.value.line ?? to;
}
