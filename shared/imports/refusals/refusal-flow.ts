/** How refusals and passes follow each other in an import. Part of its flow. Times are milliseconds since the epoch. */
export interface RefusalFlow {
  /** Refusals that were held back, less the passes since, never below zero (CUSUM). */
  streak: number;
  /** At this many, scouts are sent. */
  scoutAt: number;
  /** The scouts that are being asked. Nothing else is sent until they have answered. */
  scouts?: { lines: number[]; sentAt: number };
  lastRulingAt: number;
  /** The import's epoch that this describes. */
  epoch: number;
}

export function newRefusalFlow(refusalsMax: number): RefusalFlow {
  return { streak: 0, scoutAt: refusalsMax, lastRulingAt: 0, epoch: 0 };
}
