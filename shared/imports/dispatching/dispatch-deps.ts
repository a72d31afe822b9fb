import type { Log } from '../../kernel/log.ts';
import type { Slots } from '../../plans/slots.ts';
import type { ImportEvents } from '../finishing/announce-end.ts';
import type { LeaseDeps } from '../import-lease.ts';
import type { TenantPaceStore } from '../pacing/tenant-pace.ts';
import type { RulingDeps } from '../refusals/rule-on-refusals.ts';
import type { Retention } from '../retention/removal-schedule.ts';
import type { MessagePool } from './message-pool.ts';

export interface DispatchDeps extends LeaseDeps, RulingDeps {
  imports: RulingDeps['imports'];
  importQueues: RulingDeps['importQueues'];
  tenantPaces: Pick<TenantPaceStore, 'get' | 'put'>;
  messagePool: MessagePool;
  slots: Pick<Slots, 'giveBack' | 'trim'>;
  importEvents: ImportEvents;
  retention: Pick<Retention, 'removals' | 'rowsKeptMs'>;
  dispatching: DispatchSettings;
  /** Of the process: it tells how tenants answer. */
  processLog: Log;
}

interface DispatchSettings {
  /** Check messages on the queue for all imports together, at most. */
  windowTotal: number;
  /** Checks that one process runs at the same time. */
  checksMax: number;
  /** How many identical refusals more than passes lead to a question whether all mailboxes are refused. */
  refusalsMax: number;
  /** How long a dispatcher works before it hands over to the next message. */
  shiftMs: number;
}
