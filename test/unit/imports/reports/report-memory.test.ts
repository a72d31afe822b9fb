import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import { reportCsv } from '../../../../shared/imports/reports/report-files.ts';
import { openReport } from '../../../../shared/imports/reports/write-report.ts';
import { anImport, aRow } from '../../../support/records.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** A ledger that makes its rows when they are read. */
function endlessLedger(count: number): Pick<Ledger, 'findRows'> {
  return {
    findRows: async (_connectionId, _importId, { fromLine, limit }) => {
      const length = Math.max(0, Math.min(limit, count - fromLine));
      return Array.from({ length }, (_, i) => {
        const line = fromLine + i;
        return { value: aRow({ line, state: 'failed', cause: 'mailbox_out_of_scope' }), tag: 'tag' };
      });
    },
  };
}

it('holds two pages of rows, however many there are: ten times the rows take no more memory', async () => {
  const heapWhileReading = async (rows: number): Promise<number> => {
    const report = await openReport({ ledger: endlessLedger(rows) }, anImport(), reportCsv(','));
    let heap = 0;
    let bytes = 0;
    let chunks = 0;
    for await (const chunk of report) {
      bytes += chunk.byteLength;
      // Near the end, while everything that is held is still held.
      if (++chunks === rows / 250 - 2) {
        collectGarbage();
        heap = process.memoryUsage().heapUsed;
      }
    }
    expect(bytes).toBeGreaterThan(rows * 200);
    return heap;
  };
  await heapWhileReading(5_000);
  const small = await heapWhileReading(20_000);
  const large = await heapWhileReading(200_000);
  expect((large - small) / 180_000, 'bytes for each row').toBeLessThan(5);
});
