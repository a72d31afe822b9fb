import { isTaken } from '../../mailboxes/mailbox.ts';
import type { Slots } from '../../plans/slots.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ParsedRow } from '../upload/parsed-row.ts';

/** Counts, row by row, what an upload needs: slots beyond those that its mailboxes already hold, and rows without any. */
interface SlotDemand {
  count(row: ParsedRow): void;
  needed(): number;
  /** The rows that will be rejected or duplicates. */
  unchecked(): number;
  /** Whether the address is already connected or being checked. */
  isTaken(address: string): boolean;
  holdsSlot(address: string): boolean;
}

/** Reads every mailbox of the connection once. Keeps their addresses in memory, and each new one that is counted. */
export async function readSlotDemand(deps: { ledger: Ledger }, connectionId: string): Promise<SlotDemand> {
  const holders = new Set<string>();
  const taken = new Set<string>();
  for await (const { value: mailbox } of deps.ledger.eachMailbox(connectionId)) {
    if (mailbox.slotClaimedBy) holders.add(mailbox.address);
    if (isTaken(mailbox)) taken.add(mailbox.address);
  }
  const counted = new Set<string>();
  let needed = 0;
  let unchecked = 0;
  return {
    isTaken: (address) => taken.has(address),
    holdsSlot: (address) => holders.has(address),
    needed: () => needed,
    unchecked: () => unchecked,
    count(row) {
      if (!row.ok || counted.has(row.address)) {
        unchecked++;
        return;
      }
      counted.add(row.address);
      if (taken.has(row.address)) unchecked++;
      else if (!holders.has(row.address)) needed++;
    },
  };
}

export async function countFreeSlots(deps: { slots: Pick<Slots, 'get'> }, customerId: string): Promise<number> {
  const slots = await deps.slots.get(customerId);
  return slots ? Math.max(0, slots.limit - slots.used) : 0;
}
