import { beforeEach, expect, it } from 'vitest';
import { findLostMessages, type LostSearch } from '../../../../shared/imports/dispatching/find-lost-messages.ts';
import type { Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import type { Row } from '../../../../shared/imports/ledger/row.ts';
import type { WorkerReport } from '../../../../shared/imports/ledger/worker-report.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { aRow } from '../../../support/records.ts';

const SENT = Date.UTC(2026, 5, 1);
let now: number;
let head: Date | undefined;
let ledger: Ledger;
let search: LostSearch;

beforeEach(async () => {
  now = SENT;
  head = undefined;
  ledger = inMemoryLedger();
  for (const line of [2, 3, 4]) await add({ line });
  search = {
    connectionId: 'conn_1',
    importId: 'imp_1',
    cursor: 5,
    batches: [{ from: 2, to: 5, sentAt: new Date(SENT) }],
    reports: [],
    outstanding: 3,
    canTellSilence: true,
    buriedReports: [],
    resentLines: {},
    scoutedLines: [],
  };
});

const add = (row: Partial<Row>) => ledger.commit('conn_1', [{ op: 'createRow', row: aRow(row) }]);
const report = (hand: number[], writtenAt = now): WorkerReport => ({
  writtenAt: new Date(writtenAt),
  ...{
    accepted: 0,
    throttled: 0,
    unanswered: 0,
    wholeChecks: 0,
    wholeRequests: 0,
    generation: 0,
    flightMs: 0,
    flights: 0,
    running: 0,
  },
  ofGeneration: { accepted: 0, throttled: 0, returned: 0 },
  hand,
});

/** Lets time pass and looks once. Resolves to the lines that are lost. */
async function lookAfter(ms: number): Promise<number[]> {
  now += ms;
  const deps = { ledger, importQueues: { getOldestCheckSentAt: async () => head } };
  const { rows, batches } = await findLostMessages(deps, search, now);
  search = { ...search, batches };
  return rows.map(({ value }) => value.line);
}

it('finds rows whose messages the queue has handed out and nobody has', async () => {
  expect(await lookAfter(3_000)).toEqual([]);
  expect(await lookAfter(2_000)).toEqual([]);
  search = { ...search, reports: [report([3], now + 4_500)] };
  expect(await lookAfter(5_000)).toEqual([2, 4]);
});

it('never sends a message twice that merely waits in a long queue', async () => {
  head = new Date(SENT);
  for (let i = 0; i < 20; i++) expect(await lookAfter(5_000)).toEqual([]);
  head = new Date(now);
  expect(await lookAfter(1_000)).toEqual([]);
  expect(await lookAfter(5_000)).toEqual([2, 3, 4]);
});

it('leaves alone what was sent again a moment ago', async () => {
  await lookAfter(5_000);
  expect(await lookAfter(5_000)).toEqual([2, 3, 4]);
  expect(await lookAfter(5_000)).toEqual([]);
  expect(await lookAfter(5_000)).toEqual([]);
  await lookAfter(15_000);
  expect(await lookAfter(5_000)).toEqual([2, 3, 4]);
});

it('forgets a batch without pending rows', async () => {
  for (const line of [2, 3, 4]) {
    const row = await ledger.getRow('conn_1', 'imp_1', line);
    const patch: Partial<Row> = { state: line === 3 ? 'waiting' : 'passed' };
    await ledger.commit('conn_1', [{ op: 'mergeRow', importId: 'imp_1', line, tag: row?.tag ?? '', patch }]);
  }
  await lookAfter(5_000);
  await lookAfter(5_000);
  expect(search.batches).toEqual([]);
});

it('looks at the scouts of a batch, and at no other line above the cursor', async () => {
  for (const line of [5, 6, 7, 8]) await add({ line });
  const { findRows } = ledger;
  ledger.findRows = (connectionId, importId, query) => {
    expect(query.toLine).toBeLessThanOrEqual(5);
    return findRows(connectionId, importId, query);
  };
  const sentAt = new Date(SENT);
  search = { ...search, batches: [{ from: 2, to: 8, sentAt, isReturned: true }], scoutedLines: [7] };
  await lookAfter(5_000);
  expect(await lookAfter(5_000)).toEqual([2, 3, 4, 7]);
  expect(search.batches).toEqual([{ from: 2, to: 8, sentAt: new Date(now), isReturned: true }]);
});

it('finds the rows of a process that is silent with messages in hand, once', async () => {
  search = { ...search, batches: [], reports: [report([3, 4])] };
  expect(await lookAfter(7_000)).toEqual([]);
  expect(await lookAfter(2_000)).toEqual([3, 4]);
  expect(await lookAfter(30_000)).toEqual([]);
});

it('does not take silence for death if storage was unavailable for everyone', async () => {
  search = { ...search, batches: [], reports: [report([3, 4])], canTellSilence: false };
  expect(await lookAfter(60_000)).toEqual([]);
});
