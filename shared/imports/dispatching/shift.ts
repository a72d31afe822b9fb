import type { HeldLease } from '../import-lease.ts';
import type { ImportWait } from '../import-wait.ts';
import type { PlanRecord } from '../ledger/plan-record.ts';
import type { TallyCounts } from '../ledger/tally.ts';
import type { WorkerReport } from '../ledger/worker-report.ts';
import type { CancelledRows } from './cancelled-rows.ts';
import type { Flow, FlowSums } from './flow.ts';
import type { PaceHolder } from './pace-holder.ts';
import type { DueRows, FreshRows, NextDue } from './row-buffers.ts';
import type { AnswerCount } from './tell-answers.ts';

/** What one dispatcher works with while it holds the lease. */
export interface Shift {
  lease: HeldLease;
  plan: PlanRecord;
  pace: PaceHolder;
  flow: Flow;
  fresh: FreshRows;
  due: DueRows;
  cancelled: CancelledRows;
  /** Until then nobody is asked, because grants may be propagating. */
  quietUntil?: Date;
  /** The waiting row that is due next, as far as is known. */
  nextDue?: NextDue | undefined;
  /** When the lines among which rows can be waiting were last looked at. */
  narrowedAt: number;
  /** When this dispatcher last looked at the reports of the workers, and since when it did so without a gap. */
  lastLookAt?: number;
  watchingSince: number;
  /** The slots that the import has given back, as far as this dispatcher knows, and when it last did so. */
  givenBack: { slots: number; at: number };
  answers: AnswerCount;
}

export type ShiftEnd =
  /** Every row is settled. */
  | { kind: 'settled' }
  /** Another writer changed the import. */
  | { kind: 'lost' }
  | { kind: 'over' }
  /** Nothing is under way, and nothing can be sent before this time. */
  | { kind: 'asleep'; until: Date; wait?: ImportWait };

/** What a tick has read, and what follows from it. */
export interface TickView {
  now: number;
  tickMs: number;
  sinceLastTickMs: number;
  counts: TallyCounts;
  reports: WorkerReport[];
  changes: FlowSums;
  outstanding: number;
}
