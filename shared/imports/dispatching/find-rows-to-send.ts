import type { Tagged } from '../../kernel/tagged.ts';
import type { Import, SentBatch } from '../import.ts';
import type { Row } from '../ledger/row.ts';
import type { TallyCounts } from '../ledger/tally.ts';
import type { DispatchDeps } from './dispatch-deps.ts';

const ACCEPTED = ['pending', 'waiting', 'passed', 'failed', 'inconclusive', 'cancelled'] as const;
/** A page whose rows may wait behind older messages is left alone for this long at most. */
const SLOW_QUEUE_MAX_MS = 600_000;

/** The next accepted rows that have not been sent, whatever has become of them. */
export async function findUnsentRows(
  deps: DispatchDeps,
  record: Import,
  accepted: number,
  room: number,
): Promise<Tagged<Row>[]> {
  if (room < 1 || record.dispatched >= accepted) return [];
  return deps.ledger.findRows(record.connectionId, record.id, {
    fromLine: record.cursor,
    states: ACCEPTED,
    limit: room,
  });
}

/** Waiting rows whose time has come. */
export async function findDueRows(
  deps: DispatchDeps,
  record: Import,
  counts: TallyCounts,
  room: number,
): Promise<Tagged<Row>[]> {
  if (counts.waiting <= 0) return [];
  return deps.ledger.findRows(record.connectionId, record.id, {
    fromLine: 0,
    toLine: record.cursor,
    states: ['waiting'],
    dueBy: deps.clock.now(),
    limit: Math.max(1, room),
  });
}

/** Pages whose rows ought to be settled by now, unless their messages are merely waiting behind older ones. */
export async function findOverdueBatches(
  deps: DispatchDeps,
  record: Import,
  outstanding: number,
  now: Date,
): Promise<SentBatch[]> {
  const late = record.batches.filter((page) => page.dueAt <= now);
  if (late.length === 0 || outstanding <= 0) return late;
  const oldest = await deps.importQueues.getOldestCheckSentAt();
  if (!oldest) return late;
  return late.filter(
    (page) =>
      page.sentAt < oldest || page.sentAt.getTime() === 0 || now.getTime() - page.sentAt.getTime() > SLOW_QUEUE_MAX_MS,
  );
}

/** What of a page is still open. */
export async function findUnsettledRows(deps: DispatchDeps, record: Import, page: SentBatch): Promise<Tagged<Row>[]> {
  const rows: Tagged<Row>[] = [];
  for (let fromLine = page.from; ; ) {
    const found = await deps.ledger.findRows(record.connectionId, record.id, {
      fromLine,
      toLine: page.to,
      states: ['pending', 'waiting'],
      limit: 500,
    });
    rows.push(...found);
    const last = found.at(-1);
    if (found.length < 500 || !last) return rows;
    fromLine = last.value.line + 1;
  }
}
