import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import { commitPairs, PAIRS_MAX } from '../ledger/commit-pairs.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { isSettled, type Row } from '../ledger/row.ts';

interface Deps {
  ledger: Ledger;
  clock: Clock;
}

/** Of the rows that are due: which may be sent now, and what that makes of the import. */
export interface Released {
  rows: Tagged<Row>[];
  change: Pick<Import, 'canary' | 'canarySettledAt'>;
}

/**
 * Lets rows that waited for grants go one by one until the first of them is through.
 *
 * Each question prolongs what is waited for, so a single mailbox, the canary, is asked first. When it has its verdict the
 * others that are due follow; when it was refused once more they all wait for the same next step, unasked. At each step
 * another one goes first: the one before may lie outside for good. Repeatable; rows that wait for something else pass.
 */
export async function releaseDue(deps: Deps, record: Import, due: readonly Tagged<Row>[]): Promise<Released> {
  const { canary, canarySettledAt } = record;
  const kept: Released['change'] = {
    ...(canary !== undefined && { canary }),
    ...(canarySettledAt !== undefined && { canarySettledAt }),
  };
  const waits = ({ value: row }: Tagged<Row>) =>
    row.cause === 'propagating' && !(canarySettledAt && row.nextCheckAt && row.nextCheckAt <= canarySettledAt);
  const held = due.filter(waits);
  const free = due.filter((row) => !waits(row));
  if (held.length === 0) return { rows: free, change: kept };

  const now = deps.clock.now();
  const asked = canary === undefined ? undefined : await deps.ledger.getRow(record.connectionId, record.id, canary);
  const row = asked?.value;
  if (row?.state === 'pending') return { rows: free, change: kept };
  if (row && isSettled(row.state) && row.state !== 'cancelled')
    return { rows: [...free, ...held], change: { canarySettledAt: now } };
  if (row?.state === 'waiting' && row.cause === 'propagating' && row.nextCheckAt && row.nextCheckAt > now) {
    await postpone(deps, record, now, row.nextCheckAt);
    return { rows: free, change: {} };
  }
  const next = freshest(held);
  return { rows: [...free, next], change: { canary: next.value.line } };
}

/** The one that was asked least often; it cannot be the last canary, unless there is no other. */
function freshest(rows: readonly Tagged<Row>[]): Tagged<Row> {
  return rows.reduce((best, row) => (row.value.attempt < best.value.attempt ? row : best));
}

async function postpone({ ledger }: Deps, record: Import, now: Date, nextCheckAt: Date): Promise<void> {
  for (let fromLine = 0; ; ) {
    const rows = await ledger.findRows(record.connectionId, record.id, {
      fromLine,
      states: ['waiting'],
      dueBy: now,
      limit: PAIRS_MAX,
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
