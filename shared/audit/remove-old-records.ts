import type { AuditLog } from '../kernel/audit-log.ts';
import type { Clock } from '../kernel/clock.ts';

export interface RemoveOldRecordsDeps {
  auditLog: Pick<AuditLog, 'removeBefore'>;
  clock: Clock;
  auditKeptMs: number;
}

const BATCH_MAX = 1_000;
/** Keeps one run of the timer far below the time that the host allows. The next run goes on. */
const BATCHES_MAX = 50;

/** Removes audit records that have been kept for long enough. Resolves to their number. */
export async function removeOldAuditRecords(deps: RemoveOldRecordsDeps): Promise<number> {
  const before = new Date(deps.clock.now().getTime() - deps.auditKeptMs);
  let total = 0;
  for (let batch = 0; batch < BATCHES_MAX; batch++) {
    const removed = await deps.auditLog.removeBefore(before, BATCH_MAX);
    total += removed;
    if (removed < BATCH_MAX) break;
  }
  return total;
}
