import { setTimeout } from 'node:timers/promises';

/** Waits for `ms` milliseconds. 0 sets no timer. */
export async function pause(ms: number): Promise<void> {
  if (ms > 0) await setTimeout(ms);
}
