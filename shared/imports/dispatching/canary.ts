import type { Clock } from '../../kernel/clock.ts';
import type { Tagged } from '../../kernel/tagged.ts';
import type { Import } from '../import.ts';
import { commitPairs } from '../ledger/commit-pairs.ts';
import { type Ledger, PAIRS_MAX } from '../ledger/ledger.ts';
import { isSettled, type Row } from '../ledger/row.ts';

interface CanaryDeps {
  ledger: Ledger;
  clock: Clock;
}

/** The import's canary from now on. A field that is left out is cleared. */
export type CanaryChange = Pick<Import, 'canary' | 'canarySettledAt'>;

/** Which of the due rows may be sent now, and what to change in the import. */
interface Released {
  rows: Tagged<Row>[];
  change: CanaryChange;
}

/**
 * Sends one canary ahead of the rows that wait for new grants to propagate.
 *
 * Every request that Exchange refuses prolongs the propagation, so only one mailbox is asked first. Once the canary has
 * a verdict, the other due rows follow. If it is refused again, they all wait for the same next step without being
 * asked. Each step chooses another canary, because the last one may be out of scope for good. Rows that wait for
 * another reason are not held. Repeatable.
 */
export async function releaseDue(deps: CanaryDeps, record: Import, due: readonly Tagged<Row>[]): Promise<Released> {
  const { canary, canarySettledAt } = record;
  const unchanged: Released['change'] = {
    ...(canary !== undefined && { canary }),
    ...(canarySettledAt !== undefined && { canarySettledAt }),
  };
  const needsCanary = ({ value: row }: Tagged<Row>) =>
    row.cause === 'propagating' && !(canarySettledAt && row.nextCheckAt && row.nextCheckAt <= canarySettledAt);
  const held = due.filter(needsCanary);
  const free = due.filter((row) => !needsCanary(row));
  if (held.length === 0) return { rows: free, change: unchanged };

  const now = deps.clock.now();
  const asked = canary === undefined ? undefined : await deps.ledger.getRow(record.connectionId, record.id, canary);
  const row = asked?.value;
  if (row?.state === 'pending') return { rows: free, change: unchanged };
  // A refusal that is held back is an answer as well: the grants have had all their time.
  if (row && (row.heldAt || (isSettled(row.state) && row.state !== 'cancelled'))) {
    return { rows: [...free, ...held], change: { canarySettledAt: now } };
  }
  if (row?.state === 'waiting' && row.cause === 'propagating' && row.nextCheckAt && row.nextCheckAt > now) {
    await postpone(deps, record, now, row.nextCheckAt);
    return { rows: free, change: {} };
  }
  const next = leastAsked(held);
  return { rows: [...free, next], change: { canary: next.value.line } };
}

/** The row with the fewest attempts. It is never the last canary, unless there is no other row. */
function leastAsked(rows: readonly Tagged<Row>[]): Tagged<Row> {
  return rows.reduce((best, row) => (row.value.attempt < best.value.attempt ? row : best));
}

async function postpone({ ledger }: CanaryDeps, record: Import, now: Date, nextCheckAt: Date): Promise<void> {
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
