/** A row with a finding, to recognize it by. */
export interface FindingExample {
  line: number;
  /** May be cut. Absent if the row has none. */
  address?: string;
}

/** How far planning has got. Written in the same transaction as the rows it counts. */
export interface PlanRecord {
  importId: string;
  /** The last line of the upload that is planned. */
  line: number;
  rows: number;
  accepted: number;
  rejected: number;
  duplicates: number;
  /** How many of the rows have a finding with each code. */
  findingCounts: Record<string, number>;
  /** The first few rows with each of these codes. */
  findingExamples?: Readonly<Record<string, readonly FindingExample[]>>;
  /** Slots that the accepted mailboxes need beyond those they already hold. */
  slotsNeeded: number;
  /** Every line is planned. */
  done: boolean;
  /** A cancel ended planning early. The counts are final. */
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
    findingCounts: {},
    slotsNeeded: 0,
    done: false,
    closed: false,
    movedAt: now,
  };
}
