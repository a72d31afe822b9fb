import type { Connection } from '../../connections/connection.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import type { Slots } from '../../plans/slots.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { dueAt, isDue, isReverified, type ReverifyTimes } from './due-at.ts';

interface ChooseDueDeps {
  ledger: Pick<Ledger, 'findMailboxes'>;
  slots: Pick<Slots, 'get'>;
  reverifyTimes: ReverifyTimes;
}

/** Mailboxes in one re-verification. Its addresses are one upload, and its end is never far. */
export const REVERIFIED_TOGETHER = 1_000;
const PAGE_SIZE = 1_000;
/** Pages that one step reads. The next step goes on after them. */
const PAGES_MAX = 10;
/**
 * Failed mailboxes that one re-verification may give a slot: this many, or a part of the free slots if that is more. Walks
 * follow each other without a pause while some are left out, so they have their turn every five minutes.
 */
const SLOTS_MAX = 50;
const SLOTS_MAX_SHARE = 1 / 20;
/** No more than this share of the free slots. The others stay free for imports. */
const SLOTS_SHARE = 1 / 2;

/** Mailboxes that are due to be checked again. */
interface Due {
  /** They have a slot. */
  holding: Mailbox[];
  needing: Mailbox[];
  freeSlots: number;
}

/** Resolves to where the next step begins: the page that has more due mailboxes than fit, or the one after the last. */
export async function findDue(
  { ledger, reverifyTimes, slots }: ChooseDueDeps,
  { id, customerId }: Connection,
  from: string | undefined,
  now: Date,
): Promise<{ due: Due; cursor: string | undefined }> {
  const due: Due = { holding: [], needing: [], freeSlots: 0 };
  let areSlotsRead = false;
  let cursor = from;
  for (let pages = 1; pages <= PAGES_MAX; pages++) {
    const request = { limit: PAGE_SIZE, ...(cursor !== undefined && { cursor }) };
    const page = await ledger.findMailboxes(id, request, {});
    const found = page.items
      .map(({ value }) => value)
      .filter((mailbox) => isReverified(mailbox) && isDue(id, mailbox, reverifyTimes, now));
    const holding = found.filter(({ slotClaimedBy }) => slotClaimedBy !== undefined);
    const needing = found.filter(({ slotClaimedBy }) => slotClaimedBy === undefined);
    if (needing.length > 0 && !areSlotsRead) {
      const count = await slots.get(customerId);
      due.freeSlots = count ? Math.max(0, count.limit - count.used) : 0;
      areSlotsRead = true;
    }
    const before = countChosen(due);
    const withPage = {
      holding: [...due.holding, ...holding],
      needing: [...due.needing, ...needing],
      freeSlots: due.freeSlots,
    };
    if (before > 0 && countChosen(withPage) > REVERIFIED_TOGETHER) break;
    Object.assign(due, withPage);
    cursor = page.cursor;
    if (cursor === undefined) break;
  }
  return { due, cursor };
}

/** The last free slot is not left alone: it may be the one that a mailbox gave back when it failed. */
function slotsFor(freeSlots: number): number {
  const max = Math.max(SLOTS_MAX, Math.ceil(freeSlots * SLOTS_MAX_SHARE));
  return Math.min(max, REVERIFIED_TOGETHER, Math.ceil(freeSlots * SLOTS_SHARE));
}

function countChosen({ holding, needing, freeSlots }: Due): number {
  return holding.length + Math.min(needing.length, slotsFor(freeSlots));
}

/**
 * A mailbox that has failed takes a slot while it is checked. Those that have been due for longest come first, and no more
 * than a part of the free slots are taken.
 */
export function chooseDue(
  { reverifyTimes }: Pick<ChooseDueDeps, 'reverifyTimes'>,
  { id }: Connection,
  { holding, needing, freeSlots }: Due,
): { chosen: Mailbox[]; withoutSlot: number; hasPostponed: boolean } {
  const longestDue = needing
    .map((mailbox) => ({ mailbox, at: dueAt(id, mailbox, reverifyTimes).getTime() }))
    .sort((a, b) => a.at - b.at)
    .map(({ mailbox }) => mailbox);
  const withSlot = longestDue.slice(0, slotsFor(freeSlots));
  const withoutSlot = needing.length - withSlot.length;
  return { chosen: [...holding, ...withSlot], withoutSlot, hasPostponed: withoutSlot > 0 && freeSlots > 0 };
}
