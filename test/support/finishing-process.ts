import { dispatchChecks } from '../../shared/imports/dispatching/dispatch-checks.ts';
import { createSerialByKey } from '../../shared/imports/ledger/serial-by-key.ts';
import { createTallyBook } from '../../shared/imports/ledger/tally-book.ts';
import { openCountedTables } from './counted-tables.ts';

/** A process that ends imports over the tables of one account, and counts the table requests. */
export async function startFinishing(connectionString: string) {
  const { stores, counter } = await openCountedTables(connectionString);
  let processes = 0;
  return {
    stores,
    /** Does what is left to do for an import, as after a `dispatch-checks` message. */
    async finish(importId: string, customerId = 'cust_1'): Promise<{ requests: number; ms: number }> {
      counter.requests = 0;
      const startedAt = performance.now();
      const holder = `p${++processes}`;
      const deps = {
        ...stores,
        serialByKey: createSerialByKey(),
        tallies: createTallyBook(holder),
        importQueues: {
          sendPlan: async () => undefined,
          sendDispatch: async () => undefined,
          sendCheck: async () => undefined,
          getOldestCheckSentAt: async () => undefined,
        },
        importEvents: { ended: async () => undefined },
        clock: { now: () => new Date() },
        sleep: async () => undefined,
        leasing: { holder, leaseMs: 15_000 },
        dispatching: {
          windowTotal: 2048,
          windowMin: 32,
          windowMax: 512,
          pollMs: 1_000,
          shiftMs: 3_600_000,
          overdue: { afterMs: 90_000, maxMs: 600_000 },
        },
      };
      await dispatchChecks(deps, { v: 1, customerId, importId });
      return { requests: counter.requests, ms: performance.now() - startedAt };
    },
  };
}
