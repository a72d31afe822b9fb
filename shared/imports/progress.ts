import type { Import } from './import.ts';
import { isEnded } from './import.ts';
import type { Ledger } from './ledger/ledger.ts';
import { countSettled, sumTallies } from './ledger/tally.ts';

/** The counts of an import as the API shows them. */
export interface Counts {
  rows: number;
  accepted: number;
  rejected: number;
  duplicates: number;
  pending: number;
  waiting: number;
  passed: number;
  failed: number;
  inconclusive: number;
  cancelled: number;
}

export interface Progress {
  record: Import;
  counts: Counts;
  /** Of the accepted rows, in steps of a tenth; 100 only when all are settled. */
  percent: number;
}

/**
 * Reads how far an import is: one plan row and one range over its tallies, whatever its size. `pending` is what is left,
 * so that `accepted` is always the sum of what becomes of the accepted rows.
 */
export async function readProgress(deps: { ledger: Ledger }, record: Import): Promise<Progress> {
  const [plan, tallies] = await Promise.all([
    deps.ledger.getPlan(record.connectionId, record.id),
    deps.ledger.listTallies(record.connectionId, record.id),
  ]);
  const { waiting, passed, failed, inconclusive, cancelled } = sumTallies(tallies);
  const settled = countSettled({ waiting, passed, failed, inconclusive, cancelled, slotsFreed: 0 });
  const { rows = 0, accepted = 0, rejected = 0, duplicates = 0 } = plan?.value ?? {};
  return {
    record,
    counts: {
      rows,
      accepted,
      rejected,
      duplicates,
      pending: accepted - settled - waiting,
      waiting,
      passed,
      failed,
      inconclusive,
      cancelled,
    },
    percent: percentOf(record, accepted, settled),
  };
}

/** Rounded down, so that 100 is not shown before the end. While rows are still being planned there is nothing to divide by. */
function percentOf(record: Import, accepted: number, settled: number): number {
  if (isEnded(record.status)) return 100;
  if (record.status === 'accepted' || record.status === 'planning' || accepted === 0) return 0;
  return Math.floor((settled / accepted) * 1000) / 10;
}
