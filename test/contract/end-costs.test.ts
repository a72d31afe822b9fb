import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ProbeFinding } from '../../shared/causes/verdict.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { startFinishing } from '../support/finishing-process.ts';
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
let process: Awaited<ReturnType<typeof startFinishing>>;
beforeAll(async () => {
  azurite = await startAzurite('table');
  process = await startFinishing(azurite.connectionString);
});
afterAll(() => azurite?.stop());

it(`cancels with at most ${REQUESTS_PER_ROW_MAX} table requests a row, and the same for each row of a longer import`, async () => {
  const perRow: number[] = [];
  for (const rows of [490, 1960]) {
    const id = `imp_cancel${rows}`;
    const counts = [
      { rows: rows / 10, state: 'passed' },
      { rows: (rows * 8) / 10, state: 'pending' },
      { rows: rows / 10, state: 'waiting' },
    ] as const;
    await storePlannedImport(process.stores, counts, { id, connectionId: `conn_${id}`, status: 'cancelling' });
    const slotsBefore = (await process.stores.slots.get('cust_1'))?.used ?? 0;
    perRow.push((await process.finish(id)).requests / rows);
    const record = (await process.stores.imports.get('cust_1', id))?.value;
    expect(record).toMatchObject({
      status: 'cancelled',
      counts: { passed: rows / 10, cancelled: (rows * 9) / 10, pending: 0, waiting: 0 },
    });
    expect((await process.stores.slots.get('cust_1'))?.used).toBe(slotsBefore - (rows * 9) / 10);
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
  await storePlannedImport(process.stores, runs, { id, connectionId });
  expect((await process.finish(id)).requests / 1000).toBeLessThanOrEqual(REQUESTS_PER_ROW_MAX);
  expect((await process.stores.imports.get('cust_1', id))?.value.status).toBe('completed');
  const rows = await process.stores.ledger.findRows(connectionId, id, { fromLine: 0, states: ['failed'], limit: 1000 });
  expect(new Set(rows.map(({ value }) => value.cause))).toEqual(new Set(['mailbox_out_of_scope']));
});
