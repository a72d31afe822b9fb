import { DomainError } from '../../kernel/errors.ts';
import { isTaken, type Mailbox } from '../../mailboxes/mailbox.ts';
import type { Slots } from '../../plans/slots.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { createAddressMap } from '../upload/address-map.ts';
import type { ParsedRow } from '../upload/parsed-row.ts';
import { LOOKED_UP_MAX } from './existing-mailboxes.ts';

/** Counts, row by row, what an upload needs: slots beyond those that its mailboxes already hold, and rows without any. */
export interface SlotDemand {
  count(row: ParsedRow): void;
  /**
   * Resolves to how many slots the counted rows need. If they need no more than `free`, the result may be too high, but
   * not above `free`: nothing is read if there are enough slots for every address.
   */
  needed(free: number): Promise<number>;
  /**
   * The rows that will be rejected, or are duplicates within the upload. Without those whose mailbox the connection has:
   * to find them, it would have to be read.
   */
  unchecked(): number;
}

/**
 * Keeps 18 to 36 bytes for each different address. Reads the connection only if the answer depends on it, and only when
 * the whole upload is counted: an upload that is refused for another reason costs no storage request.
 */
export function createSlotDemand(deps: { ledger: Ledger }, connectionId: string): SlotDemand {
  const counted = createAddressMap();
  /** The first addresses, which are few enough to be looked up. */
  const first: string[] = [];
  let unchecked = 0;

  /** The mailboxes of the connection that are in the upload, and maybe others. */
  async function* candidates(): AsyncGenerator<Mailbox> {
    if (counted.size > first.length) {
      for await (const { value } of deps.ledger.eachMailbox(connectionId)) yield value;
      return;
    }
    for (const { value } of (await deps.ledger.getMailboxes(connectionId, first)).values()) yield value;
  }

  return {
    unchecked: () => unchecked,
    count(row) {
      if (!row.ok || counted.add(row.address, row.line) !== undefined) unchecked++;
      else if (first.length < LOOKED_UP_MAX) first.push(row.address);
    },
    async needed(free) {
      let needed = counted.size;
      if (needed <= free) return needed;
      for await (const mailbox of candidates()) {
        if (!isTaken(mailbox) && mailbox.slotClaimedBy === undefined) continue;
        if (counted.get(mailbox.address) !== undefined && --needed <= free) return needed;
      }
      return needed;
    },
  };
}

/** @throws DomainError `slot_limit_reached` with `needed` and `free` */
export async function refuseTooFewSlots(
  deps: { slots: Pick<Slots, 'get'> },
  demand: SlotDemand,
  customerId: string,
): Promise<void> {
  await refuseSlots(deps, 'import', (free) => demand.needed(free), customerId);
}

/**
 * @param neededOf asked with the number of free slots
 * @throws DomainError `slot_limit_reached` with `needed` and `free`
 */
export async function refuseSlots(
  deps: { slots: Pick<Slots, 'get'> },
  what: 'import' | 'action',
  neededOf: (free: number) => Promise<number>,
  customerId: string,
): Promise<void> {
  const free = await countFreeSlots(deps, customerId);
  const needed = await neededOf(free);
  if (needed <= free) return;
  const fewer = what === 'import' ? 'upload fewer rows' : 'choose fewer mailboxes';
  throw new DomainError(
    'slot_limit_reached',
    `This ${what} needs ${needed} mailbox slots, and your plan has ${free} free. Disconnect mailboxes you no longer need, ask for more slots, or ${fewer}.`,
    { members: { needed, free } },
  );
}

export async function countFreeSlots(deps: { slots: Pick<Slots, 'get'> }, customerId: string): Promise<number> {
  const slots = await deps.slots.get(customerId);
  return slots ? Math.max(0, slots.limit - slots.used) : 0;
}
