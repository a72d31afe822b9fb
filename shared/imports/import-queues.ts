import type { Findings } from '../causes/verdict.ts';

/** Asks for an import's plan to be made or gone on with. */
export interface PlanMessage {
  v: 1;
  customerId: string;
  importId: string;
}

/** Asks whoever is free to put an import's next checks on the queue. */
export interface DispatchMessage {
  v: 1;
  customerId: string;
  importId: string;
}

/** One mailbox to check. Carries all that the worker deps, so that it reads no table. */
export interface CheckMessage {
  v: 1;
  customerId: string;
  connectionId: string;
  importId: string;
  line: number;
  address: string;
  /** The row's tag from the read that sent this: what settling it is conditional on. */
  rowTag: string;
  /** The row's attempt: how often it has come back from a wait that was written down. */
  attempt: number;
  epoch: number;
  /** How often this very message was put back for a short wait. */
  tries: number;
  /** An earlier try may have left something in the mailbox. */
  mayHaveLeftovers?: true;
  /** Not a check: only the last look for what two tries at once may have left. */
  cleanupOnly?: true;
  /** Asked first after a quiet time: the others wait for what it is told. */
  canary?: true;
  /** When the first check of the row began, as an RFC 3339 instant. */
  since?: string;
  /** What earlier tries have shown. */
  priorFindings?: Findings;
  traceparent?: string;
}

/** The queues of the import machinery. A message may be delivered twice and may be lost; rows, not messages, are the truth. */
export interface ImportQueues {
  sendPlan(message: PlanMessage, delayMs?: number): Promise<void>;
  sendDispatch(message: DispatchMessage, delayMs?: number): Promise<void>;
  sendCheck(message: CheckMessage, delayMs?: number): Promise<void>;
  /** When the oldest check that is visible was put there; `undefined` when none is. */
  getOldestCheckSentAt(): Promise<Date | undefined>;
}
