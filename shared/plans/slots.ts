export interface SlotCount {
  /** What the plan allows. */
  limit: number;
  /** May be above the limit only after the limit was lowered. */
  used: number;
}

/**
 * Counts the mailbox slots of each customer, exactly: a number and the row that says why it moved change in one
 * conditional transaction, so whatever is repeated, interrupted or done at the same time counts once.
 *
 * Every call rejects with `storage_unavailable` when storage is away.
 */
export interface Slots {
  /** Begins to count for a new customer. Repeating it changes nothing. */
  open(customerId: string, limit: number): Promise<void>;
  /** Resolves to `undefined` when nothing is counted for this customer. */
  get(customerId: string): Promise<SlotCount | undefined>;
  /** Resolves to `false` when nothing is counted for this customer. Lowering it takes no slot away that is in use. */
  setLimit(customerId: string, limit: number): Promise<boolean>;
  /**
   * Takes `count` slots for an import, all or none, and never beyond the limit. `already`: this import holds its claim;
   * `released`: it held one, or will never get one; `limit`: there are too few, or the customer is gone.
   */
  claim(customerId: string, importId: string, count: number): Promise<'claimed' | 'already' | 'released' | 'limit'>;
  /**
   * Marks an import's claim as released and gives back `freed` of its slots, once, however often it is called. Where
   * the import never claimed, it will not be able to any more.
   */
  trim(customerId: string, importId: string, freed: number): Promise<void>;
  /** Gives slots back, one unless more are named, once per `releaseId`. */
  free(customerId: string, releaseId: string, count?: number): Promise<void>;
  /** Forgets all about a customer. */
  purge(customerId: string): Promise<void>;
}
