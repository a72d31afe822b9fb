import type { SettledMailbox } from './settled-mailbox.ts';
import type { Tally } from './tally.ts';

/**
 * What one transaction settled. Written in that transaction, and never changed. The batches of all writers together are
 * the log of an import: each settled row is in exactly one of them.
 */
export interface SettledBatch {
  importId: string;
  /** The tally that was written in the same transaction. */
  writer: string;
  /** 1 for the first batch of its writer, 2 for the next. The tally has the newest one, so a reader sees gaps. */
  serial: number;
  /** By the writer's clock, and later than the writer's last batch. Clocks of different writers may differ. */
  settledAt: Date;
  mailboxes: readonly SettledMailbox[];
}

/** A part of the log of an import. */
export interface SettledPage {
  /** In the order of `settledAt`. */
  batches: SettledBatch[];
  /** All tallies, read together with the batches. Absent if there are more batches: read on from the last one. */
  tallies?: Tally[];
}
