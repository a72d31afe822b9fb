import type { Slots } from '../../plans/slots.ts';
import type { Import } from '../import.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { sumTallies } from '../ledger/tally.ts';
import type { Shift, TickView } from './shift.ts';

/** While checks are under way, slots are given back this often at most. Each time costs three storage requests. */
const GIVE_BACK_EVERY_MS = 2_000;
/** Checks that were under way when an import was paused have settled by then. */
const SETTLED_AFTER_PAUSE_MS = 600_000;

/**
 * Gives back the slots of mailboxes that have failed since the last time, so that a customer can use them while the import
 * is still running. The end of the import gives back the rest.
 */
export async function giveBackSlots(
  { slots }: { slots: Pick<Slots, 'giveBack'> },
  shift: Shift,
  { counts: { slotsFreed }, outstanding, now }: TickView,
): Promise<void> {
  const { givenBack, lease } = shift;
  const isEarly = outstanding > 0 && now - givenBack.at < GIVE_BACK_EVERY_MS;
  if (slotsFreed <= givenBack.slots || isEarly) return;
  await slots.giveBack(lease.record.customerId, lease.record.id, slotsFreed);
  shift.givenBack = { slots: slotsFreed, at: now };
}

/** The same for an import that has been paused lately. Its last checks settle, and its mailboxes are disconnected, when no dispatcher looks. */
export async function giveBackSlotsOfPaused(
  deps: { slots: Pick<Slots, 'giveBack'>; ledger: Pick<Ledger, 'listTallies'>; clock: { now(): Date } },
  { status, pausedAt, rowsCancelledAt, customerId, connectionId, id }: Import,
): Promise<void> {
  if (status !== 'paused' || !pausedAt) return;
  const changedAt = Math.max(pausedAt.getTime(), rowsCancelledAt?.getTime() ?? 0);
  if (deps.clock.now().getTime() - changedAt > SETTLED_AFTER_PAUSE_MS) return;
  const { slotsFreed } = sumTallies(await deps.ledger.listTallies(connectionId, id));
  if (slotsFreed > 0) await deps.slots.giveBack(customerId, id, slotsFreed);
}
