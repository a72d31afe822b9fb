import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ProbeFinding } from '../../shared/causes/verdict.ts';
import { dispatchChecks } from '../../shared/imports/dispatching/dispatch-checks.ts';
import { createSerialByKey } from '../../shared/imports/ledger/serial-by-key.ts';
import { createTallyBook } from '../../shared/imports/ledger/tally-book.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { openCountedTables } from '../support/counted-tables.ts';
import { storePlannedImport } from '../support/planned-import.ts';
import { RECORDS_NOW as NOW } from '../support/records.ts';

/** Table requests for each row of an import, at most, for its cancel, its explanations and its end together. */
const REQUESTS_PER_ROW_MAX = 0.12;

const passed: ProbeFinding = { verdict: 'passed', checkedAt: NOW };
const denied: ProbeFinding = {
  verdict: 'failed',
  cause: 'consent_missing',
  checkedAt: NOW,
  denial: { byPolicy: false, token: 'empty', mailboxOpened: false },
};

let azurite: Azurite;
let tables: Awaited<ReturnType<typeof openCountedTables>>;
beforeAll(async () => {
  azurite = await startAzurite('table');
  tables = await openCountedTables(azurite.connectionString);
});
afterAll(() => azurite?.stop());

async function costOfEnd(importId: string): Promise<number> {
  const { counter, stores } = tables;
  counter.requests = 0;
  const deps = {
    ...stores,
    serialByKey: createSerialByKey(),
    tallies: createTallyBook(`process-${importId}`),
    importQueues: {
      sendPlan: async () => undefined,
      sendDispatch: async () => undefined,
      sendCheck: async () => undefined,
      getOldestCheckSentAt: async () => undefined,
    },
    importEvents: { ended: async () => undefined },
    clock: { now: () => new Date() },
    sleep: async () => undefined,
    leasing: { holder: 'p', leaseMs: 15_000 },
    dispatching: {
      windowTotal: 2048,
      windowMin: 32,
      windowMax: 512,
      pollMs: 1_000,
      shiftMs: 600_000,
      overdue: { afterMs: 90_000, maxMs: 600_000 },
    },
  };
  await dispatchChecks(deps, { v: 1, customerId: 'cust_1', importId });
  return counter.requests;
}

it(`cancels with at most ${REQUESTS_PER_ROW_MAX} table requests a row, and the same for each row of a longer import`, async () => {
  const perRow: number[] = [];
  for (const rows of [490, 1960]) {
    const id = `imp_cancel${rows}`;
    const counts = [
      { rows: rows / 10, state: 'passed' },
      { rows: (rows * 8) / 10, state: 'pending' },
      { rows: rows / 10, state: 'waiting' },
    ] as const;
    await storePlannedImport(tables.stores, counts, { id, connectionId: `conn_${id}`, status: 'cancelling' });
    const slotsBefore = (await tables.stores.slots.get('cust_1'))?.used ?? 0;
    perRow.push((await costOfEnd(id)) / rows);
    const record = (await tables.stores.imports.get('cust_1', id))?.value;
    expect(record).toMatchObject({
      status: 'cancelled',
      counts: { passed: rows / 10, cancelled: (rows * 9) / 10, pending: 0, waiting: 0 },
    });
    expect((await tables.stores.slots.get('cust_1'))?.used).toBe(slotsBefore - (rows * 9) / 10);
  }
  const [short = 0, long = 0] = perRow;
  expect(short).toBeLessThanOrEqual(REQUESTS_PER_ROW_MAX);
  expect(long).toBeLessThanOrEqual(short);
});

it(`ends and explains with at most ${REQUESTS_PER_ROW_MAX} table requests a row, however many have failed`, async () => {
  const id = 'imp_explain';
  const connectionId = `conn_${id}`;
  const runs = [
    { rows: 20, state: 'passed', checks: { 'graph.send': passed } },
    { rows: 980, state: 'failed', checks: { 'graph.send': denied } },
  ] as const;
  await storePlannedImport(tables.stores, runs, { id, connectionId });
  expect((await costOfEnd(id)) / 1000).toBeLessThanOrEqual(REQUESTS_PER_ROW_MAX);
  expect((await tables.stores.imports.get('cust_1', id))?.value.status).toBe('completed');
  const rows = await tables.stores.ledger.findRows(connectionId, id, { fromLine: 0, states: ['failed'], limit: 1000 });
  expect(new Set(rows.map(({ value }) => value.cause))).toEqual(new Set(['mailbox_out_of_scope']));
});
