import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { CHANGES_MAX, type Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import { createReportBook } from '../../../../shared/imports/ledger/report-book.ts';
import { openRowOf } from '../../../../shared/imports/ledger/row.ts';
import { createSerialByKey } from '../../../../shared/imports/ledger/serial-by-key.ts';
import { createSettler } from '../../../../shared/imports/ledger/settler.ts';
import { createTallyBook } from '../../../../shared/imports/ledger/tally-book.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { aMailbox, aRow } from '../../../support/records.ts';

const ROWS = 40;
const lines = Array.from({ length: ROWS }, (_, i) => i + 2);
/** Adds a pending row and its mailbox. Resolves to where the row is, for a settlement. */
async function addRow(ledger: Ledger, importId: string, line: number) {
  const row = aRow({ importId, line });
  const mailbox = aMailbox({ address: row.address, importId, openRow: openRowOf(row) });
  await ledger.commit('conn_1', [
    { op: 'createRow', row },
    { op: 'createMailbox', mailbox },
  ]);
  const rowTag = (await ledger.getRow('conn_1', importId, line))?.tag ?? '';
  return { connectionId: 'conn_1', importId, line, address: row.address, rowTag, attempt: 0 };
}

const clock = { now: () => new Date() };

function partsOf(processId: string) {
  const reports = createReportBook({ clock, running: () => 0 });
  return { reports, tallies: createTallyBook(processId, reports, clock), clock, sleep: (ms: number) => pause(ms) };
}

const passed = { state: 'passed', row: {}, mailbox: { status: 'active' } } as const;

it('writes the one open row of a batch if another process has settled all others', async () => {
  const ledger = inMemoryLedger();
  const locations = await Promise.all(lines.map((line) => addRow(ledger, 'imp_1', line)));
  const settler = (processId: string, commit = ledger.commit) =>
    createSettler(
      { ledger: { ...ledger, commit }, serialByKey: createSerialByKey(), ...partsOf(processId) },
      { together: ROWS, withinMs: 5 },
    );
  const one = settler('one');
  await Promise.all(locations.slice(1).map((location) => one.settle({ ...location, ...passed })));

  let commits = 0;
  const other = settler('other', (...args) => {
    commits++;
    return ledger.commit(...args);
  });
  const results = await Promise.all(locations.map((location) => other.settle({ ...location, ...passed })));
  expect(results).toEqual(['written', ...Array(ROWS - 1).fill('dropped')]);
  expect(commits).toBeLessThanOrEqual(3);
});

it('never puts more than 100 changes into a transaction, even if the results belong to several imports', async () => {
  const ledger = inMemoryLedger();
  const sizes: number[] = [];
  const settler = createSettler(
    {
      ledger: {
        ...ledger,
        commit: async (connectionId, changes) => {
          sizes.push(changes.length);
          return ledger.commit(connectionId, changes);
        },
      },
      serialByKey: createSerialByKey(),
      ...partsOf('one'),
    },
    { together: 60, withinMs: 5 },
  );
  const results = await Promise.all(
    Array.from({ length: 60 }, async (_, i) =>
      settler.settle({ ...(await addRow(ledger, `imp_${i % 5}`, i + 2)), ...passed }),
    ),
  );
  expect(results).toEqual(Array(60).fill('written'));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(CHANGES_MAX);
  expect(sizes.length).toBe(2);
});
