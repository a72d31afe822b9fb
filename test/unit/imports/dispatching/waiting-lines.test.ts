import { beforeEach, expect, it } from 'vitest';
import { type Flow, newFlow } from '../../../../shared/imports/dispatching/flow.ts';
import { flowSumsOf } from '../../../../shared/imports/dispatching/measure-flow.ts';
import { narrowWaitingLines, waitingLines } from '../../../../shared/imports/dispatching/waiting-lines.ts';
import type { Import } from '../../../../shared/imports/import.ts';
import type { HeldLease } from '../../../../shared/imports/import-lease.ts';
import type { RowQuery } from '../../../../shared/imports/ledger/ledger.ts';
import { zeroCounts } from '../../../../shared/imports/ledger/tally.ts';
import { sumReports } from '../../../../shared/imports/ledger/worker-report.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { anImport, aRow } from '../../../support/records.ts';

const NOW = Date.UTC(2026, 5, 1);
let flow: Flow;
let queries: RowQuery[];
const ledger = inMemoryLedger();
const findRows: typeof ledger.findRows = (connectionId, importId, query) => {
  queries.push(query);
  return ledger.findRows(connectionId, importId, query);
};

beforeEach(async () => {
  flow = { ...newFlow(NOW, flowSumsOf(zeroCounts, sumReports([])), 20), waitingFrom: 2 };
  queries = [];
  await ledger.purge('conn_1');
  for (const line of [300, 40_000]) {
    await ledger.commit('conn_1', [{ op: 'createRow', row: aRow({ line, state: 'waiting' }) }]);
  }
});

const record = (more: Partial<Import>) => anImport({ cursor: 50_000, batches: [], ...more });

async function narrow(more: Partial<Import>, now = NOW): Promise<void> {
  const lease = { record: record(more) } as Pick<HeldLease, 'record'> as HeldLease;
  const shift = { lease, flow, narrowedAt: 0 };
  await narrowWaitingLines({ ledger: { findRows } }, shift, now);
  await narrowWaitingLines({ ledger: { findRows } }, shift, now + 1_000);
}

it('moves up to the first row that waits, with one look in half a minute', async () => {
  await narrow({});
  expect(waitingLines(record({}), flow)).toEqual({ from: 300, to: 50_000 });
  expect(queries).toEqual([{ fromLine: 2, toLine: 50_000, states: ['waiting'], limit: 1 }]);
});

it('moves to the end of what was sent if no row waits', async () => {
  flow.waitingFrom = 40_001;
  await narrow({});
  expect(waitingLines(record({}), flow)).toEqual({ from: 50_000, to: 50_000 });
});

it('never leaves out a batch with pending rows, or a scout above the cursor', async () => {
  const batches = [{ from: 250, to: 260, sentAt: new Date(NOW) }];
  await narrow({ batches, scoutedLines: [70_000, 60_000] });
  const lines = { from: 250, to: 70_001 };
  expect(waitingLines(record({ batches, scoutedLines: [70_000, 60_000] }), flow)).toEqual(lines);
});

it('does not look where one page of storage is enough', async () => {
  await narrow({ cursor: 900 });
  expect(queries).toEqual([]);
  expect(waitingLines(record({ cursor: 900 }), flow)).toEqual({ from: 2, to: 900 });
});
