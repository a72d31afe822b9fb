/** How far planning has come, written in the same transaction as the rows it counts. */
export interface PlanRecord {
  importId: string;
  /** The last line of the upload that has been planned. */
  line: number;
  rows: number;
  accepted: number;
  rejected: number;
  duplicates: number;
  /** Slots that the accepted mailboxes need beyond those they already hold. */
  slotsNeeded: number;
  /** Every line is planned. */
  done: boolean;
  /** Planning was ended early by a cancel: the counts are final all the same. */
  closed: boolean;
  movedAt: Date;
}

export function newPlanRecord(importId: string, now: Date): PlanRecord {
  return {
    importId,
    line: 0,
    rows: 0,
    accepted: 0,
    rejected: 0,
    duplicates: 0,
    slotsNeeded: 0,
    done: false,
    closed: false,
    movedAt: now,
  };
}
