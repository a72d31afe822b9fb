import { expect } from 'vitest';
import type { Import } from '../../clients/typescript/src/index.ts';
import type { RunningStack } from './running-stack.ts';

interface Leftovers {
  drafts: number;
  inbox: number;
  sent: number;
  folders: number;
}

/** Expects what every completed import promises: counts that match the rows, and mailboxes without leftovers. */
export async function expectExact(running: RunningStack, progress: Import, accepted: number): Promise<void> {
  const { counts } = progress;
  expect(progress.status).toBe('completed');
  expect(counts.accepted).toBe(accepted);
  expect(counts.passed + counts.failed + counts.inconclusive).toBe(accepted);
  expect(counts).toMatchObject({ pending: 0, waiting: 0, cancelled: 0 });
  const rows = await running.allRows(progress.id);
  expect(new Set(rows.map((row) => row.line)).size).toBe(counts.rows);
  for (const state of ['passed', 'failed', 'inconclusive'] as const) {
    expect(rows.filter((row) => row.state === state).length, state).toBe(counts[state]);
  }
  // The slower of two deliveries may still be running when the import ends. It cleans up after itself. If it was killed,
  // the last cleanup runs after four times CHECK_TIMEOUT.
  await expect
    .poll(() => running.simulator<Leftovers>('GET', '/_simulator/leftovers'), { timeout: 60_000, interval: 250 })
    .toMatchObject({ drafts: 0, inbox: 0, sent: 0, folders: 0 });
}
