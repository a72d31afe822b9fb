import type { Clock } from '../../kernel/clock.ts';
import type { Slots } from '../../plans/slots.ts';
import type { ImportEvents } from '../finishing/announce-end.ts';
import type { LeaseSettings } from '../import-lease.ts';
import type { ImportQueues } from '../import-queues.ts';
import type { ImportStore } from '../import-store.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { SerialByKey } from '../ledger/serial-by-key.ts';
import type { TallyBook } from '../ledger/tally-book.ts';
import type { OverdueTimes } from './sent-batches.ts';

export interface DispatchDeps {
  imports: ImportStore;
  ledger: Ledger;
  serialByKey: SerialByKey;
  tallies: TallyBook;
  importQueues: ImportQueues;
  slots: Pick<Slots, 'trim'>;
  importEvents: ImportEvents;
  clock: Clock;
  sleep: (ms: number) => Promise<void>;
  leasing: LeaseSettings;
  dispatching: DispatchSettings;
}

interface DispatchSettings {
  /**
   * Check messages on the queue for all imports together. Each import gets an equal share, from `windowMin` to
   * `windowMax`.
   */
  windowTotal: number;
  windowMin: number;
  windowMax: number;
  pollMs: number;
  /** How long a dispatcher works before it hands over to the next message. */
  shiftMs: number;
  overdue: OverdueTimes;
}
