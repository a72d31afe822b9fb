/** How Microsoft answered checks of one generation of the tenant's pace. */
export interface GenerationCounts {
  /** Requests that were answered, as Microsoft counts them. */
  accepted: number;
  /** Requests that were refused because the app asks too often. */
  throttled: number;
  /** Rows that went back to waiting without being asked, because this process had just been throttled. */
  returned: number;
}

/**
 * What one process tells the dispatcher about an import, written together with its tally. The numbers only grow while
 * the process lives. Nothing that has to be exact depends on them.
 */
export interface WorkerReport {
  writtenAt: Date;
  accepted: number;
  throttled: number;
  /** Checks that Microsoft left without an answer, where nothing suggests that only the one mailbox is concerned. */
  unanswered: number;
  /** Checks that were answered as a whole in one try, and the requests they needed. */
  wholeChecks: number;
  wholeRequests: number;
  /** The newest generation of the tenant's pace that this process knows, and the counts of it alone. */
  generation: number;
  ofGeneration: GenerationCounts;
  /** The latest time before which Microsoft does not want to be asked. */
  retryAt?: Date;
  /** How long messages were under way, from being sent to being settled, and how many they were. */
  flightMs: number;
  flights: number;
  /** When the newest check that passed had begun. */
  passStartedAt?: Date;
  /** The lines whose messages this process has in hand. */
  hand: number[];
  /** How many checks ran in this process when this was written. */
  running: number;
}

export const noGenerationCounts: Readonly<GenerationCounts> = { accepted: 0, throttled: 0, returned: 0 };

/** What all processes together report. */
export interface ReportSums extends Pick<WorkerReport, (typeof summed)[number]> {
  retryAt: number;
  passStartedAt: number;
}

const summed = [
  'accepted',
  'throttled',
  'unanswered',
  'wholeChecks',
  'wholeRequests',
  'flightMs',
  'flights',
] as const satisfies (keyof WorkerReport)[];

/** Adds up the reports of all processes. */
export function sumReports(reports: readonly WorkerReport[]): ReportSums {
  const sums: ReportSums = {
    accepted: 0,
    throttled: 0,
    unanswered: 0,
    wholeChecks: 0,
    wholeRequests: 0,
    flightMs: 0,
    flights: 0,
    retryAt: 0,
    passStartedAt: 0,
  };
  for (const report of reports) {
    for (const field of summed) sums[field] += report[field];
    sums.retryAt = Math.max(sums.retryAt, report.retryAt?.getTime() ?? 0);
    sums.passStartedAt = Math.max(sums.passStartedAt, report.passStartedAt?.getTime() ?? 0);
  }
  return sums;
}

/** What all processes report about one generation of the tenant's pace. */
export function sumGeneration(reports: readonly WorkerReport[], generation: number): GenerationCounts {
  const sum = { ...noGenerationCounts };
  for (const report of reports) {
    if (report.generation !== generation) continue;
    sum.accepted += report.ofGeneration.accepted;
    sum.throttled += report.ofGeneration.throttled;
    sum.returned += report.ofGeneration.returned;
  }
  return sum;
}
