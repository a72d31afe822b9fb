import pLimit from 'p-limit';
import type { Tagged } from '../../kernel/tagged.ts';
import type { SlotCount, Slots } from '../../plans/slots.ts';
import type { ImportStore, OpenImport } from '../import-store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { sumTallies } from '../ledger/tally.ts';

export interface LookDeps {
  imports: Pick<ImportStore, 'listOpen'>;
  ledger: Pick<Ledger, 'getPlan' | 'listTallies'>;
  slots: Pick<Slots, 'getTagged' | 'getClaim'>;
}

/** What an unfinished import has done to the slots of mailboxes, and what of it the count knows. */
interface OpenSlots {
  importId: string;
  connectionId: string;
  /** Mailboxes that took a slot when they were planned. Only grows. */
  taken: number;
  /** Mailboxes that gave their slot back. Only grows. */
  freed: number;
  /** How many of those the count knows. Absent if the import has no claim, so that the count knows nothing of it. */
  givenBack: number | undefined;
  /** Slots that the count has for rows that are being opened again, and that their mailboxes have not taken yet. */
  reclaimed: number;
}

/**
 * What is known at a moment about the slots of a customer, besides its mailboxes.
 *
 * Mailboxes take and lose slots only in transactions that raise `taken` or `freed` of an unfinished import, and an import
 * that ends changes the tag of the count. So if two looks are the same, no mailbox has taken or lost a slot in between.
 */
export interface SlotLook {
  count: Tagged<SlotCount>;
  open: OpenSlots[];
}

const READS_AT_ONCE = 8;

/** Resolves to `undefined` if the customer has no count. */
export async function lookAtSlots(deps: LookDeps, customerId: string): Promise<SlotLook | undefined> {
  // The count is read first: whatever changes it afterwards changes its tag.
  const count = await deps.slots.getTagged(customerId);
  if (!count) return undefined;
  const limit = pLimit(READS_AT_ONCE);
  const pointers = await deps.imports.listOpen(customerId);
  const open = await Promise.all(pointers.map((pointer) => limit(() => readOpen(deps, pointer))));
  return { count, open: open.sort((one, other) => (one.importId < other.importId ? -1 : 1)) };
}

async function readOpen(deps: LookDeps, { customerId, connectionId, importId }: OpenImport): Promise<OpenSlots> {
  const [plan, tallies, claim] = await Promise.all([
    deps.ledger.getPlan(connectionId, importId),
    deps.ledger.listTallies(connectionId, importId),
    deps.slots.getClaim(customerId, importId),
  ]);
  const { slotsFreed: freed, reopened } = sumTallies(tallies);
  return {
    importId,
    connectionId,
    taken: plan?.value.slotsNeeded ?? 0,
    freed,
    reclaimed: (claim?.reclaimed ?? 0) - reopened,
    givenBack: claim?.freed,
  };
}

export function isSameLook(one: SlotLook, other: SlotLook): boolean {
  return one.count.tag === other.count.tag && JSON.stringify(one.open) === JSON.stringify(other.open);
}

/**
 * How many slots the count should show if mailboxes hold `held` of them: those of imports without a claim are not counted
 * yet, those that were freed a moment ago are still counted, and so are those that a row is about to get back.
 */
export function countedSlots({ open }: SlotLook, held: number): number {
  return open.reduce(
    (sum, { taken, freed, givenBack, reclaimed }) =>
      sum + reclaimed + (givenBack === undefined ? freed - taken : freed - givenBack),
    held,
  );
}
