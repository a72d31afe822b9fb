import { setTimeout as pause } from 'node:timers/promises';
import type { Import, Muster } from '../../clients/typescript/src/index.ts';

/** How many rows were settled at a time, in seconds since the import was started. */
export interface Sample {
  seconds: number;
  settled: number;
}

export interface WatchedImport {
  /** The last state that was seen. */
  latest: Import;
  /** Whether it ended within the time. */
  hasEnded: boolean;
  samples: Sample[];
}

export const settledRows = ({ counts }: Import): number =>
  counts.passed + counts.failed + counts.inconclusive + counts.cancelled;

const hasEnded = ({ status }: Import) => status === 'completed' || status === 'cancelled' || status === 'failed';

/** Reads the progress of an import that has just been started, at intervals, until it ends or the time is over. */
export async function watchImport(
  muster: Muster,
  importId: string,
  { pollMs, forMs }: { pollMs: number; forMs: number },
): Promise<WatchedImport> {
  const startedAt = performance.now();
  const samples: Sample[] = [];
  for (;;) {
    const latest = await muster.imports.get(importId);
    const elapsedMs = performance.now() - startedAt;
    samples.push({ seconds: elapsedMs / 1000, settled: settledRows(latest) });
    if (hasEnded(latest) || elapsedMs >= forMs) return { latest, hasEnded: hasEnded(latest), samples };
    await pause(pollMs);
  }
}

/** Rows settled per second between 10 % and 90 % of all rows. */
export function middleRate(samples: readonly Sample[], rows: number): number {
  const [from, to] = [0.1 * rows, 0.9 * rows].map((settled) => samples.find((sample) => sample.settled >= settled));
  return from && to ? (to.settled - from.settled) / (to.seconds - from.seconds) : 0;
}
