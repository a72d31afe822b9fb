import { describe, expect, it } from 'vitest';
import type { Counts } from '../../../../shared/imports/ledger/counts.ts';
import type { LedgerChange } from '../../../../shared/imports/ledger/ledger.ts';
import type { RowState } from '../../../../shared/imports/ledger/row.ts';
import { readRowPages } from '../../../../shared/imports/reports/read-rows.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { anImport, aRow } from '../../../support/records.ts';

const noCounts: Counts = {
  rows: 0,
  accepted: 0,
  rejected: 0,
  duplicates: 0,
  pending: 0,
  waiting: 0,
  passed: 0,
  failed: 0,
  inconclusive: 0,
  cancelled: 0,
};

/** A ledger with rows on lines 2, 3, 4 …, and the lines from which pages were read, with their size. */
async function aLedger(states: readonly RowState[]) {
  const ledger = inMemoryLedger();
  const changes = states.map((state, i): LedgerChange => ({ op: 'createRow', row: aRow({ line: i + 2, state }) }));
  for (let from = 0; from < changes.length; from += 100) await ledger.commit('conn_1', changes.slice(from, from + 100));
  const readFrom: number[] = [];
  const limits: number[] = [];
  const findRows: typeof ledger.findRows = (connectionId, importId, query) => {
    readFrom.push(query.fromLine);
    limits.push(query.limit);
    return ledger.findRows(connectionId, importId, query);
  };
  return { findRows, readFrom, limits };
}

const count = (length: number, state: RowState = 'passed') => Array<RowState>(length).fill(state);
const linesOf = async (pages: AsyncIterable<{ line: number }[]>) =>
  (await Array.fromAsync(pages)).flat().map(({ line }) => line);

describe('the rows of a report', () => {
  it.each([0, 1, 999, 1_000, 1_001, 2_500])(
    'are all %d of them, in the order of the file, 1,000 for each request',
    async (rows) => {
      const ledger = await aLedger(count(rows));
      const lines = await linesOf(readRowPages(ledger, anImport()));
      expect(lines).toEqual(Array.from({ length: rows }, (_, i) => i + 2));
      expect(ledger.readFrom).toHaveLength(Math.floor(rows / 1_000) + 1);
    },
  );

  it('are read ahead by one page, and no further than the reader wants', async () => {
    const ledger = await aLedger(count(5_000));
    const pages = readRowPages(ledger, anImport());
    await pages.next();
    expect(ledger.readFrom).toEqual([0, 1_002]);
    await pages.return(undefined);
    expect(ledger.readFrom).toEqual([0, 1_002]);
  });

  it('are only those in the states that are asked for', async () => {
    const ledger = await aLedger(['passed', 'failed', 'rejected', 'passed', 'failed']);
    expect(await linesOf(readRowPages(ledger, anImport(), ['failed', 'rejected']))).toEqual([3, 4, 6]);
  });

  it('must be as many as an ended import has counted: a report with fewer fails', async () => {
    const ledger = await aLedger(['passed', 'failed', 'duplicate']);
    const ended = (counts: Partial<Counts>) => anImport({ status: 'completed', counts: { ...noCounts, ...counts } });
    expect(await linesOf(readRowPages(ledger, ended({ rows: 3 })))).toHaveLength(3);
    expect(
      await linesOf(readRowPages(ledger, ended({ rows: 3, failed: 1, duplicates: 1 }), ['failed', 'duplicate'])),
    ).toHaveLength(2);
    await expect(linesOf(readRowPages(ledger, ended({ rows: 4 })))).rejects.toThrow(
      '3 rows for a report, and counted 4',
    );
    await expect(linesOf(readRowPages(ledger, ended({ rows: 3, failed: 2 }), ['failed']))).rejects.toThrow('counted 2');
  });

  it('are not searched for behind the last one that an ended import has counted', async () => {
    const ledger = await aLedger([...count(3, 'failed'), ...count(2_000)]);
    const ended = (failed: number) =>
      anImport({ status: 'completed', counts: { ...noCounts, rows: 2_003, passed: 2_003 - failed, failed } });
    expect(await linesOf(readRowPages(ledger, ended(3), ['failed']))).toEqual([2, 3, 4]);
    expect(ledger.limits).toEqual([3]);
    expect(await linesOf(readRowPages(ledger, ended(0), ['failed']))).toEqual([]);
    expect(ledger.limits).toEqual([3]);
    const many = await aLedger([...count(1_500, 'failed'), ...count(10)]);
    const record = anImport({ status: 'completed', counts: { ...noCounts, rows: 1_510, failed: 1_500 } });
    expect(await linesOf(readRowPages(many, record, ['failed']))).toHaveLength(1_500);
    expect(many.limits).toEqual([1_000, 500]);
  });

  it('end with the error of storage, which nobody misses if it comes early', async () => {
    const ledger = await aLedger(count(1_500));
    const failing: typeof ledger.findRows = async (connectionId, importId, query) => {
      if (query.fromLine > 0) throw new Error('storage failed');
      return ledger.findRows(connectionId, importId, query);
    };
    const pages = readRowPages({ findRows: failing }, anImport());
    expect((await pages.next()).value).toHaveLength(1_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(pages.next()).rejects.toThrow('storage failed');
  });
});
