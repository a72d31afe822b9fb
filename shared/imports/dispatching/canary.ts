import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import { commitPairs, PAIRS_MOST } from '../ledger/commit-pairs.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { isSettled, type Row } from '../ledger/row.ts';

interface Needs {
  ledger: Ledger;
  clock: Clock;
}

/** Of the rows that are due: which may be sent now, and what that makes of the import. */
export interface Released {
  rows: Tagged<Row>[];
  change: Pick<Import, 'canary' | 'awakeUntil'>;
}

/**
 * Lets rows that waited for grants go one by one until the first of them is through.
 *
 * Each question prolongs what is waited for, so a single mailbox, the canary, is asked first. When it has its verdict the
 * others that are due follow; when it was refused once more they all wait for the same next step, unasked. At each step
 * another one goes first: the one before may lie outside for good. Repeatable; rows that wait for something else pass.
 */
export async function releaseDue(needs: Needs, record: Import, due: readonly Tagged<Row>[]): Promise<Released> {
  const { canary, awakeUntil } = record;
  const kept: Released['change'] = {
    ...(canary !== undefined && { canary }),
    ...(awakeUntil !== undefined && { awakeUntil }),
  };
  const waits = ({ value: row }: Tagged<Row>) =>
    row.cause === 'propagating' && !(awakeUntil && row.nextCheckAt && row.nextCheckAt <= awakeUntil);
  const held = due.filter(waits);
  const free = due.filter((row) => !waits(row));
  if (held.length === 0) return { rows: free, change: kept };

  const now = needs.clock.now();
  const asked = canary === undefined ? undefined : await needs.ledger.getRow(record.connectionId, record.id, canary);
  const row = asked?.value;
  if (row?.state === 'pending') return { rows: free, change: kept };
  if (row && isSettled(row.state) && row.state !== 'cancelled')
    return { rows: [...free, ...held], change: { awakeUntil: now } };
  if (row?.state === 'waiting' && row.cause === 'propagating' && row.nextCheckAt && row.nextCheckAt > now) {
    await postpone(needs, record, now, row.nextCheckAt);
    return { rows: free, change: {} };
  }
  const next = freshest(held);
  return { rows: [...free, next], change: { canary: next.value.line } };
}

/** The one that was asked least often; it cannot be the last canary, unless there is no other. */
function freshest(rows: readonly Tagged<Row>[]): Tagged<Row> {
  return rows.reduce((best, row) => (row.value.attempt < best.value.attempt ? row : best));
}

async function postpone({ ledger }: Needs, record: Import, now: Date, nextCheckAt: Date): Promise<void> {
  for (let fromLine = 0; ; ) {
    const rows = await ledger.findRows(record.connectionId, record.id, {
      fromLine,
      states: ['waiting'],
      dueBy: now,
      limit: PAIRS_MOST,
    });
    const last = rows.at(-1);
    if (!last) return;
    fromLine = last.value.line + 1;
    const held = rows.filter(({ value }) => value.cause === 'propagating');
    await commitPairs(ledger, record.connectionId, held, ({ value: row, tag }) => [
      { op: 'mergeRow', importId: row.importId, line: row.line, tag, patch: { nextCheckAt } },
      { op: 'mergeMailbox', address: row.address, patch: { nextCheckAt } },
    ]);
  }
}
