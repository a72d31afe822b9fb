import type { Tagged } from '../../kernel/tagged.ts';
import type { Import, SentBatch } from '../import.ts';
import { acceptedStates, openStates, type Row } from '../ledger/row.ts';
import type { TallyCounts } from '../ledger/tally.ts';
import type { DispatchDeps } from './dispatch-deps.ts';

/** How long a batch may stay overdue because its messages wait behind older ones. */
const SLOW_QUEUE_MAX_MS = 600_000;
/** Rows per request when an overdue batch is read. */
const READ_MAX = 500;

/** The next accepted rows above the cursor, in any state. */
export async function findUnsentRows(
  deps: DispatchDeps,
  record: Import,
  accepted: number,
  room: number,
): Promise<Tagged<Row>[]> {
  if (room < 1 || record.dispatched >= accepted) return [];
  return deps.ledger.findRows(record.connectionId, record.id, {
    fromLine: record.cursor,
    states: acceptedStates,
    limit: room,
  });
}

/** Waiting rows that are due. */
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

/** Batches whose rows should be settled by now, unless their messages only wait behind older ones. */
export async function findOverdueBatches(
  deps: DispatchDeps,
  record: Import,
  outstanding: number,
  now: Date,
): Promise<SentBatch[]> {
  const overdue = record.batches.filter((batch) => batch.dueAt <= now);
  if (overdue.length === 0 || outstanding <= 0) return overdue;
  const oldest = await deps.importQueues.getOldestCheckSentAt();
  if (!oldest) return overdue;
  return overdue.filter(
    ({ sentAt }) => sentAt < oldest || sentAt.getTime() === 0 || now.getTime() - sentAt.getTime() > SLOW_QUEUE_MAX_MS,
  );
}

/** The open rows of a batch. */
export async function findOpenRows(deps: DispatchDeps, record: Import, batch: SentBatch): Promise<Tagged<Row>[]> {
  const rows: Tagged<Row>[] = [];
  for (let fromLine = batch.from; ; ) {
    const found = await deps.ledger.findRows(record.connectionId, record.id, {
      fromLine,
      toLine: batch.to,
      states: openStates,
      limit: READ_MAX,
    });
    rows.push(...found);
    const last = found.at(-1);
    if (found.length < READ_MAX || !last) return rows;
    fromLine = last.value.line + 1;
  }
}
