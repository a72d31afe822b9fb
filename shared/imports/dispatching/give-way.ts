import type { TenantPace } from '../pacing/tenant-pace.ts';
import type { Shift, TickView } from './shift.ts';

/** How long a note of an import counts. A dead process keeps re-verifications waiting for no longer. */
const SENDER_MS = 15_000;
const SENDER_RENEW_MS = 7_000;
/** How long a note of a re-verification counts. Longer than it sleeps while it gives way. */
const REVERIFIER_MS = 120_000;
const REVERIFIER_RENEW_MS = 60_000;
/** While a re-verification gives way, it looks again after this time. */
export const LOOK_AGAIN_MS = 30_000;

/**
 * Imports go first. A re-verification notes in the tenant's pace that it is there. As long as it is, every import of the
 * tenant notes there that it has rows to send, and the re-verification sends none. Without a re-verification, an import
 * writes nothing for it. The notes end by themselves, so a process that dies holds nobody up for long.
 *
 * Resolves to whether this is a re-verification that has to wait.
 */
export async function giveWay(shift: Shift, view: Pick<TickView, 'now' | 'counts'>): Promise<boolean> {
  const { lease, flow } = shift;
  const { record } = lease;
  if (!record.isReverification) {
    const hasRows = record.dispatched < shift.plan.accepted || view.counts.waiting > view.counts.held;
    if (hasRows) await noteSender(shift, view.now, view.now);
    return false;
  }
  const isFirst = await isFirstNote(shift, view.now);
  if (!hasSenders(shift.pace.value, view.now)) {
    delete flow.gaveWayAt;
    return isFirst;
  }
  const hasWaited = record.waitingFor?.cause === 'imports_first' && flow.gaveWayAt !== undefined;
  if (!hasWaited) flow.gaveWayAt = view.now;
  return true;
}

/** An import that sleeps because Microsoft limits it still goes first when it wakes up. */
export async function noteSleep(shift: Shift, now: number, until: number): Promise<void> {
  if (shift.lease.record.isReverification || shift.pace.value.mode === 'free') return;
  await noteSender(shift, now, until);
}

async function noteSender({ pace, lease }: Shift, now: number, from: number): Promise<void> {
  const { value } = pace;
  if (!Object.values(value.reverifiers ?? {}).some((until) => until > now)) return;
  const { id } = lease.record;
  if ((value.senders?.[id] ?? 0) - from > SENDER_RENEW_MS) return;
  // If another dispatcher was faster, it is written with the next tick.
  await pace.write({ ...value, senders: { ...current(value.senders, now), [id]: from + SENDER_MS } });
}

/** A re-verification that has just come sends nothing in this tick, so that imports can see it first. */
async function isFirstNote({ pace, lease }: Shift, now: number): Promise<boolean> {
  const { value } = pace;
  const { id } = lease.record;
  const until = value.reverifiers?.[id] ?? 0;
  const { [id]: share = 0, ...others } = value.sharers;
  // While it gives way, the imports have the whole pace of the tenant.
  const leavesShare = share > now && hasSenders(value, now);
  if (until - now > REVERIFIER_RENEW_MS && !leavesShare) return false;
  const reverifiers = { ...current(value.reverifiers, now), [id]: now + REVERIFIER_MS };
  const isWritten = await pace.write({ ...value, reverifiers, ...(leavesShare && { sharers: others }) });
  return until <= now || !isWritten;
}

function hasSenders({ senders = {} }: TenantPace, now: number): boolean {
  return Object.values(senders).some((until) => until > now);
}

function current(notes: Record<string, number> = {}, now: number): Record<string, number> {
  return Object.fromEntries(Object.entries(notes).filter(([, until]) => until > now));
}
