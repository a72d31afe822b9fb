import { setTimeout } from 'node:timers/promises';

/** Waits so many milliseconds; 0 does not even yield to other work. */
export async function pause(ms: number): Promise<void> {
  if (ms > 0) await setTimeout(ms);
}
