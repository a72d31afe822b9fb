import type { Tagged } from '../../kernel/tagged.ts';
import type { Import, SentPage } from '../import.ts';
import type { Row } from '../ledger/row.ts';
import type { TallyCounts } from '../ledger/tally.ts';
import type { DispatchNeeds } from './dispatch-deps.ts';

const ACCEPTED = ['pending', 'waiting', 'passed', 'failed', 'inconclusive', 'cancelled'] as const;
/** A page whose rows may wait behind older messages is left alone for this long at most. */
const SLOW_QUEUE_MOST_MS = 600_000;

/** The next accepted rows that have not been sent, whatever has become of them. */
export async function freshRows(
  needs: DispatchNeeds,
  record: Import,
  accepted: number,
  room: number,
): Promise<Tagged<Row>[]> {
  if (room < 1 || record.dispatched >= accepted) return [];
  return needs.ledger.findRows(record.connectionId, record.id, {
    fromLine: record.cursor,
    states: ACCEPTED,
    limit: room,
  });
}

/** Waiting rows whose time has come. */
export async function dueRows(
  needs: DispatchNeeds,
  record: Import,
  counts: TallyCounts,
  room: number,
): Promise<Tagged<Row>[]> {
  if (counts.waiting <= 0) return [];
  return needs.ledger.findRows(record.connectionId, record.id, {
    fromLine: 0,
    toLine: record.cursor,
    states: ['waiting'],
    dueBy: needs.clock.now(),
    limit: Math.max(1, room),
  });
}

/** Pages whose rows ought to be settled by now, unless their messages are merely waiting behind older ones. */
export async function overduePages(
  needs: DispatchNeeds,
  record: Import,
  outstanding: number,
  now: Date,
): Promise<SentPage[]> {
  const late = record.pages.filter((page) => page.dueAt <= now);
  if (late.length === 0 || outstanding <= 0) return late;
  const oldest = await needs.importQueues.oldestCheck();
  if (!oldest) return late;
  return late.filter(
    (page) =>
      page.sentAt < oldest || page.sentAt.getTime() === 0 || now.getTime() - page.sentAt.getTime() > SLOW_QUEUE_MOST_MS,
  );
}

/** What of a page is still open. */
export async function unsettledRows(needs: DispatchNeeds, record: Import, page: SentPage): Promise<Tagged<Row>[]> {
  const rows: Tagged<Row>[] = [];
  for (let fromLine = page.from; ; ) {
    const found = await needs.ledger.findRows(record.connectionId, record.id, {
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
