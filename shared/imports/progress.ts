import { type Import, isEnded } from './import.ts';
import type { Ledger } from './ledger/ledger.ts';
import { countSettled, sumTallies } from './ledger/tally.ts';

/** The counts of an import as the API shows them. `accepted` is always the sum of the last six. */
interface Counts {
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
  /** Share of the accepted rows that are settled, in steps of 0.1. 100 only when all are. */
  percent: number;
}

/**
 * Reads the progress of an import with two storage requests, however large it is: the plan, and one range over the
 * tallies. `pending` is what remains, so the sum always holds.
 */
export async function readProgress(deps: { ledger: Ledger }, record: Import): Promise<Progress> {
  const [plan, tallies] = await Promise.all([
    deps.ledger.getPlan(record.connectionId, record.id),
    deps.ledger.listTallies(record.connectionId, record.id),
  ]);
  const tallied = sumTallies(tallies);
  const { waiting, passed, failed, inconclusive, cancelled } = tallied;
  const settled = countSettled(tallied);
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

/** Rounded down, so that 100 is not shown before the end. 0 while planning, because the total is not known yet. */
function percentOf(record: Import, accepted: number, settled: number): number {
  if (isEnded(record.status)) return 100;
  if (record.status === 'accepted' || record.status === 'planning' || accepted === 0) return 0;
  return Math.floor((settled / accepted) * 1000) / 10;
}
