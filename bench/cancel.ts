import { startAzurite } from '../test/support/azurite.ts';
import { startFinishing } from '../test/support/finishing-process.ts';
import { storePlannedImport } from '../test/support/planned-import.ts';

/** How the cancel of a large import compares with that of a small one. */
export interface CancelCosts {
  rows: number;
  requestsPerRow: number;
  msPerRow: number;
  /** Bytes of this process's heap that the cancel has added, after garbage collection. */
  heapGrowth: number;
}

/** One row in ten has passed before the cancel. */
const CHECKED = 10;

/** Cancels an import of this size over the tables of Azurite: everything planned, a tenth checked. */
export async function measureCancel(rows: number): Promise<CancelCosts> {
  const azurite = await startAzurite('table');
  try {
    const { stores, finish } = await startFinishing(azurite.connectionString);
    const id = `imp_${rows}`;
    const passed = Math.floor(rows / CHECKED);
    const runs = [
      { rows: passed, state: 'passed' },
      { rows: rows - passed, state: 'pending' },
    ] as const;
    await storePlannedImport(stores, runs, { id, status: 'cancelling' });
    const heap = heapInUse();
    const { requests, ms } = await finish(id);
    const heapGrowth = heapInUse() - heap;
    const record = (await stores.imports.get('cust_1', id))?.value;
    if (record?.status !== 'cancelled' || record.counts?.cancelled !== rows - passed) {
      throw new Error(`the import has not ended as expected: ${JSON.stringify(record)}`);
    }
    return { rows, requestsPerRow: requests / rows, msPerRow: ms / rows, heapGrowth };
  } finally {
    await azurite.stop();
  }
}

function heapInUse(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
