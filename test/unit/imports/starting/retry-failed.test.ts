import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import { retryFailed } from '../../../../shared/imports/starting/retry-failed.ts';
import { createNewId } from '../../../../shared/kernel/ids.ts';
import { inMemoryImports } from '../../../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { inMemorySlots } from '../../../fakes/in-memory-slots.ts';
import { inMemoryUploadLeases } from '../../../fakes/in-memory-upload-leases.ts';
import { aConnection, anImport, aRow, RECORDS_NOW } from '../../../support/records.ts';
import { someRetention } from '../../../support/some-retention.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** The rows of an import of which all have failed, made when they are read. */
function failedRows(count: number): Ledger['findRows'] {
  return async (_connectionId, importId, { fromLine, limit }) => {
    const from = Math.max(2, fromLine);
    const length = Math.max(0, Math.min(limit, count + 2 - from));
    return Array.from({ length }, (_, i) => {
      const cause = 'mailbox_not_found' as const;
      return { value: aRow({ importId, line: from + i, state: 'failed', cause, displayName: 'Jane Doe' }), tag: '' };
    });
  };
}

/** Retries so many rows. Resolves to the heap at the last stored byte, and to the retry. */
async function retry(rows: number) {
  let heap = 0;
  let bytes = 0;
  const clock = { now: () => RECORDS_NOW };
  const slots = inMemorySlots();
  await slots.open('cust_1', 10_000_000);
  const counts = { rows, accepted: rows, rejected: 0, duplicates: 0, pending: 0, waiting: 0 };
  const first = anImport({
    status: 'completed',
    counts: { ...counts, passed: 0, failed: rows, inconclusive: 0, cancelled: 0 },
  });
  const deps = {
    connections: { get: async () => ({ value: aConnection(), tag: '' }) },
    sendDeletion: async () => undefined,
    ledger: { ...inMemoryLedger(), findRows: failedRows(rows) },
    imports: inMemoryImports(),
    slots,
    importQueues: {
      sendPlan: async () => undefined,
      sendDispatch: async () => undefined,
      sendCheck: async () => undefined,
      getOldestCheckSentAt: async () => undefined,
    },
    uploads: {
      async put(_customerId: string, _importId: string, source: AsyncIterable<Uint8Array>) {
        for await (const chunk of source) bytes += chunk.byteLength;
        collectGarbage();
        heap = process.memoryUsage().heapUsed;
        return { bytes };
      },
      read: async () => undefined,
      remove: async () => undefined,
      purge: async () => undefined,
    },
    uploadLimits: { maxBytes: 1e9, maxRows: 2_000_000, recordMaxBytes: 65_536, nameMaxLength: 200 },
    uploadLeases: inMemoryUploadLeases(),
    uploadLeaseMs: 15_000,
    retention: someRetention(),
    quotas: { runningImportsMax: 10, rejectedRowsMax: 10 },
    clock,
    newId: createNewId(clock.now),
  };
  const actor = { keyId: 'key_1', role: 'owner', customerId: 'cust_1' } as const;
  return { record: await retryFailed(deps, actor, aConnection(), first), heapAtEnd: () => heap };
}

it('holds one page of rows: ten times the rows take no more memory', async () => {
  await retry(5_000);
  const small = await retry(20_000);
  const large = await retry(200_000);
  expect(large.record).toMatchObject({ retryOf: 'imp_1', uploadedRows: 200_000, status: 'accepted' });
  expect((large.heapAtEnd() - small.heapAtEnd()) / 180_000, 'bytes for each row').toBeLessThan(5);
});
