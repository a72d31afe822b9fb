import type { ImportWait } from '../import-wait.ts';
import type { Shift, TickView } from './shift.ts';

/** Shorter pauses are part of a steady pace. */
const NOTED_MIN_MS = 3_000;

/**
 * What keeps rows of this import from being sent or asked, by the tenant's pace. Changes only when the pace does, so that
 * noting it costs hardly any writes.
 */
export function waitOfPace({ pace, plan, lease }: Shift, { counts }: TickView): ImportWait | undefined {
  const { mode, holdUntil, nextProbeAt, cutAt } = pace.value;
  const hasWork = lease.record.dispatched < plan.accepted || counts.waiting > counts.held;
  if (!hasWork) return undefined;
  switch (mode) {
    case 'free':
      return undefined;
    case 'down':
      return { cause: 'microsoft_unavailable', until: new Date(nextProbeAt) };
    case 'hold':
      return { cause: 'throttled', until: new Date(holdUntil) };
    case 'paced':
      return { cause: 'throttled', ...(holdUntil - cutAt >= NOTED_MIN_MS && { until: new Date(holdUntil) }) };
  }
}
