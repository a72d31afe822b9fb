import type { Import } from '../import.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { PlanRecord } from '../ledger/plan-record.ts';
import type { Flow } from './flow.ts';

const SCAN_MAX = 1_000;

/** The cancelled rows above the cursor, as far as one search has found them. */
interface Search {
  /** How many cancelled rows the tallies counted before it began. */
  counted: number;
  /** Ascending. */
  lines: number[];
  /** Where it goes on. Absent once it has seen every row. */
  nextLine?: number;
}

/** What a dispatcher knows about rows that were cancelled one by one. */
export interface CancelledRows {
  newest?: Search;
  /** The newest search that has seen every row. */
  complete?: Search;
}

interface Standing {
  lease: { readonly record: Import };
  plan: Pick<PlanRecord, 'accepted'>;
  flow: Pick<Flow, 'cancelledSent'>;
  cancelled: CancelledRows;
}

/**
 * How many of the cancelled rows are counted in `dispatched`. The others lie above the cursor: they are settled, and were
 * never sent.
 *
 * Exact once no more rows are cancelled and a search has seen every row above the cursor. Until then it may be too small,
 * and never too large, so that an import rather sends too little than too much. Each call costs a few storage requests at
 * most, and none unless rows were cancelled since the last search.
 *
 * @param counted how many cancelled rows the tallies count, read before this call
 */
export async function countCancelledSent(
  { ledger }: { ledger: Pick<Ledger, 'scanRows'> },
  { lease: { record }, plan, flow, cancelled }: Standing,
  counted: number,
): Promise<number> {
  if (counted === 0 || record.dispatched >= plan.accepted) return counted;
  if (cancelled.newest?.nextLine === undefined && cancelled.newest?.counted !== counted) {
    cancelled.newest = { counted, lines: [], nextLine: record.cursor };
  }
  if (cancelled.newest?.nextLine !== undefined) await goOn(ledger, record, cancelled.newest);
  if (cancelled.newest?.nextLine === undefined) cancelled.complete = cancelled.newest;
  // A sent row stays sent, and a cancelled one cancelled. So what was once known is still true.
  if (cancelled.complete) {
    const sent = cancelled.complete.counted - countUnsent(cancelled.complete, record);
    flow.cancelledSent = Math.max(flow.cancelledSent ?? 0, sent);
  }
  return flow.cancelledSent ?? 0;
}

async function goOn(ledger: Pick<Ledger, 'scanRows'>, record: Import, search: Search): Promise<void> {
  const fromLine = Math.max(search.nextLine ?? 0, record.cursor);
  const query = { fromLine, states: ['cancelled'] as const, limit: SCAN_MAX };
  const { rows, nextLine } = await ledger.scanRows(record.connectionId, record.id, query);
  for (const { line } of rows) search.lines.push(line);
  if (nextLine === undefined) delete search.nextLine;
  else search.nextLine = nextLine;
}

function countUnsent({ lines }: Search, { cursor, scoutedLines = [] }: Import): number {
  const scouted = scoutedLines.filter((line) => line >= cursor && has(lines, line));
  return lines.length - firstFrom(lines, cursor) - scouted.length;
}

const has = (lines: readonly number[], line: number) => lines[firstFrom(lines, line)] === line;

/** The index of the first of these ascending lines that is not below `from`. */
function firstFrom(lines: readonly number[], from: number): number {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((lines[middle] ?? from) < from) low = middle + 1;
    else high = middle;
  }
  return low;
}
