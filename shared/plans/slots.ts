import type { Tagged } from '../kernel/tagged.ts';

export interface SlotCount {
  /** What the plan allows. */
  limit: number;
  /** Above the limit only if the limit was lowered later. */
  used: number;
}

/** What an import has claimed and given back. */
export interface SlotClaim {
  count: number;
  /** How many slots it has given back. They need not be those of this claim. */
  freed: number;
  /** How many slots were taken once more, because rows were opened again. */
  reclaimed: number;
  /** It has ended, and gives nothing more back. */
  isReleased: boolean;
}

/**
 * Counts the mailbox slots of each customer, exactly. The count and the record of the claim or release that changed it
 * are written in one conditional transaction, so a repeated, interrupted or concurrent call counts once.
 *
 * Every call rejects with `storage_unavailable` if storage is unavailable.
 */
export interface Slots {
  /** Starts counting for a new customer. A repeated call changes nothing. */
  open(customerId: string, limit: number): Promise<void>;
  /** Resolves to `undefined` if this customer has no count. */
  get(customerId: string): Promise<SlotCount | undefined>;
  /** The same with its tag, which every claim, release and change of the limit changes. */
  getTagged(customerId: string): Promise<Tagged<SlotCount> | undefined>;
  /**
   * Replaces the number of used slots. Resolves to `false` if the count has changed since `tag` was read or is gone. Only
   * for the reconciliation.
   */
  correct(customerId: string, used: number, tag: string): Promise<boolean>;
  /** Resolves to `false` if this customer has no count. A lower limit frees no slot that is in use. */
  setLimit(customerId: string, limit: number): Promise<boolean>;
  /**
   * Takes `count` slots for an import, all or none, and never more than the limit allows. A claim of none is granted even
   * if more slots are in use than the limit allows.
   *
   * - `already`: this import has its claim.
   * - `released`: the claim was given back, or this import can no longer claim.
   * - `limit`: there are too few free slots, or the customer is gone.
   */
  claim(customerId: string, importId: string, count: number): Promise<'claimed' | 'already' | 'released' | 'limit'>;
  /**
   * Gives back the slots that an import has freed since the last call. `freed` is how many it has freed so far in total,
   * so repeated and late calls give back nothing more. Does nothing for an import without a claim: its slots were never
   * counted.
   */
  giveBack(customerId: string, importId: string, freed: number): Promise<void>;
  /**
   * The same for the last time: the import frees nothing more, and can no longer claim if it has not claimed yet. Repeated
   * calls give back nothing more. The first one changes the count's tag.
   */
  trim(customerId: string, importId: string, freed: number): Promise<void>;
  /**
   * Takes one more slot for a row of an import that is opened again, never more than the limit allows. An import that had
   * ended can give slots back again.
   *
   * - `reclaimed`: the slot is taken. - `already`: an earlier call with the same ID has taken it.
   * - `limit`: there is no free slot, or the customer is gone.
   */
  reclaim(customerId: string, importId: string, reclaimId: string): Promise<'reclaimed' | 'already' | 'limit'>;
  /** Gives back what `reclaim` took with this ID, because the row was not opened. Repeatable. */
  undoReclaim(customerId: string, importId: string, reclaimId: string): Promise<void>;
  /** `undefined` if the import has not claimed, or has ended without a claim. */
  getClaim(customerId: string, importId: string): Promise<SlotClaim | undefined>;
  /** Gives back `count` slots (by default one), once per `releaseId`. */
  free(customerId: string, releaseId: string, count?: number): Promise<void>;
  /** Removes everything about a customer. */
  purge(customerId: string): Promise<void>;
}
