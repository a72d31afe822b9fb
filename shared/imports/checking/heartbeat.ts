import type { Clock } from '../../kernel/clock.ts';
import type { ReportBook } from '../ledger/report-book.ts';
import type { Settler } from '../ledger/settler.ts';

/**
 * Shows that this process is alive: while it has messages of an import in hand, its report is at most a few seconds old.
 * A dispatcher takes the messages of a silent process for lost.
 */
export interface Heartbeat {
  start(connectionId: string, importId: string): void;
}

interface HeartbeatDeps {
  reports: Pick<ReportBook, 'hasHand' | 'lastWrittenAt'>;
  settler: Pick<Settler, 'writeReport'>;
  clock: Clock;
  sleep: (ms: number) => Promise<void>;
}

export const HEARTBEAT_MS = 3_000;

export function createHeartbeat(deps: HeartbeatDeps): Heartbeat {
  const beating = new Set<string>();

  async function beat(connectionId: string, importId: string): Promise<void> {
    const startedAt = deps.clock.now().getTime();
    while (deps.reports.hasHand(importId)) {
      const silentSince = Math.max(startedAt, deps.reports.lastWrittenAt(importId));
      const dueInMs = silentSince + HEARTBEAT_MS - deps.clock.now().getTime();
      if (dueInMs > 0) await deps.sleep(dueInMs);
      else await deps.settler.writeReport(connectionId, importId);
    }
  }

  return {
    start(connectionId, importId) {
      if (beating.has(importId)) return;
      beating.add(importId);
      void beat(connectionId, importId).finally(() => beating.delete(importId));
    },
  };
}
