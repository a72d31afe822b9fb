import type { Retention } from '../../shared/imports/retention/removal-schedule.ts';
import { inMemoryRemovals } from '../fakes/in-memory-removals.ts';

const DAY_MS = 86_400_000;

/** The times of a deployment, over removals in memory. */
export function someRetention() {
  return {
    removals: inMemoryRemovals(),
    previewKeptMs: 3_600_000,
    uploadKeptMs: 30 * DAY_MS,
    rowsKeptMs: 90 * DAY_MS,
  } satisfies Retention;
}
