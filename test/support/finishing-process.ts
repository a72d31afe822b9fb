import { finishImport } from '../../shared/imports/finishing/finish-import.ts';
import { withLease } from '../../shared/imports/import-lease.ts';
import { createSerialByKey } from '../../shared/imports/ledger/serial-by-key.ts';
import { createTallyBook } from '../../shared/imports/ledger/tally-book.ts';
import { systemClock } from '../../shared/kernel/clock.ts';
import { openCountedTables } from './counted-tables.ts';
import { someRetention } from './some-retention.ts';

/** A process that ends imports over the tables of one account, and counts the table requests. */
export async function startFinishing(connectionString: string) {
  const { stores, counter } = await openCountedTables(connectionString);
  let processes = 0;
  return {
    stores,
    /** Does what is left to do for an import. */
    async finish(importId: string, customerId = 'cust_1'): Promise<{ requests: number }> {
      counter.requests = 0;
      const holder = `p${++processes}`;
      const deps = {
        ...stores,
        serialByKey: createSerialByKey(),
        tallies: createTallyBook(holder, { write: () => undefined }, systemClock),
        importQueues: { sendDispatch: async () => undefined, sendCheck: async () => undefined },
        limits: { cleanupAfterMs: 120_000 },
        retention: someRetention(),
        importEvents: { ended: async () => undefined },
        clock: { now: () => new Date() },
        sleep: async () => undefined,
        leasing: { holder, leaseMs: 10_000 },
      };
      const found = await stores.imports.get(customerId, importId);
      if (!found) throw new Error('the import is gone');
      await withLease(deps, found, (lease) => finishImport(deps, lease, Number.POSITIVE_INFINITY));
      return { requests: counter.requests };
    },
  };
}
