/** What goes wrong in a world. Rates are probabilities from 0 to 1. */
export interface Faults {
  /** Commits whose answer is lost: committed, not committed, or committed later. */
  lostAnswers: number;
  /** Messages that are delivered again while their first delivery is still running. */
  redelivered: number;
  /** How many processes are killed during the run. */
  kills: number;
  /** How often a customer pauses an import. It resumes it after a while. */
  pauses: number;
  /** How many imports a customer cancels. */
  cancels: number;
  /** Checks that Microsoft throttles: for 5 seconds, or for 90. */
  throttled: number;
  /** Checks that fail because of a defect in Muster. */
  defects: number;
  /** Check messages that storage accepts and never delivers. */
  lostMessages: number;
  /** How long the grants need to propagate. Until then Microsoft refuses every mailbox, and each request starts the time anew. */
  grantSeconds: number;
}

export const noFaults: Faults = {
  lostAnswers: 0,
  redelivered: 0,
  kills: 0,
  pauses: 0,
  cancels: 0,
  throttled: 0,
  defects: 0,
  lostMessages: 0,
  grantSeconds: 0,
};
