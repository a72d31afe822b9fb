import { beforeEach, expect, it } from 'vitest';
import { releaseDue } from '../../../../shared/imports/dispatching/canary.ts';
import type { Import } from '../../../../shared/imports/import.ts';
import type { Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import type { Row } from '../../../../shared/imports/ledger/row.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { aMailbox, anImport, aRow } from '../../../support/records.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const DUE = new Date('2026-06-01T11:59:59Z');
const NEXT = new Date('2026-06-01T12:35:00Z');
const clock = { now: () => NOW };
let ledger: Ledger;

beforeEach(async () => {
  ledger = inMemoryLedger();
  for (const line of [2, 3, 4, 5]) await add(line, line === 5 ? { cause: 'throttled' } : {});
});

async function add(line: number, more: Partial<Row>): Promise<void> {
  const row = aRow({ line, state: 'waiting', cause: 'propagating', attempt: 1, nextCheckAt: DUE, ...more });
  const mailbox = aMailbox({ address: row.address, status: 'waiting' });
  await ledger.commit('conn_1', [
    { op: 'createRow', row },
    { op: 'createMailbox', mailbox },
  ]);
}

const change = async (line: number, patch: Partial<Row>) => {
  const row = await ledger.getRow('conn_1', 'imp_1', line);
  await ledger.commit('conn_1', [{ op: 'mergeRow', importId: 'imp_1', line, patch, tag: row?.tag ?? '' }]);
};
const due = () => ledger.findRows('conn_1', 'imp_1', { fromLine: 0, states: ['waiting'], dueBy: NOW, limit: 100 });
const release = async (record: Partial<Import> = {}) => {
  const { rows, change: changed } = await releaseDue({ ledger, clock }, anImport(record), await due());
  return { lines: rows.map(({ value }) => value.line).sort(), change: changed };
};

it('sends one canary of the rows that wait for grants, and all rows that wait for something else', async () => {
  expect(await release()).toEqual({ lines: [2, 5], change: { canary: 2 } });
});

it('sends no other row that waits for grants while the canary is being checked', async () => {
  await change(2, { state: 'pending' });
  expect(await release({ canary: 2 })).toEqual({ lines: [5], change: { canary: 2 } });
});

it.each(['passed', 'failed', 'inconclusive'] as const)('sends the others when the canary has %s', async (state) => {
  await change(2, { state });
  expect(await release({ canary: 2 })).toEqual({ lines: [3, 4, 5], change: { canarySettledAt: NOW } });
});

it('postpones the others to the canary’s next step, without checking them, if the canary was refused again', async () => {
  await change(2, { nextCheckAt: NEXT, attempt: 2 });
  expect(await release({ canary: 2 })).toEqual({ lines: [5], change: {} });
  for (const line of [3, 4]) {
    expect((await ledger.getRow('conn_1', 'imp_1', line))?.value).toMatchObject({ nextCheckAt: NEXT, attempt: 1 });
    const mailbox = await ledger.getMailbox('conn_1', `user${line}@contoso.example`);
    expect(mailbox?.value.nextCheckAt).toEqual(NEXT);
  }
});

it('chooses another canary at the next step', async () => {
  await change(2, { attempt: 2 });
  expect((await release()).change).toEqual({ canary: 3 });
});

it.each<[string, Partial<Row>]>([
  ['was cancelled', { state: 'cancelled' }],
  ['now waits for something else', { cause: 'throttled', nextCheckAt: NEXT }],
])('chooses another canary if the first one %s', async (_, patch) => {
  await change(2, patch);
  expect((await release({ canary: 2 })).change).toEqual({ canary: 3 });
});

it('sends rows without a canary if they were due before the last canary passed', async () => {
  expect(await release({ canarySettledAt: NOW })).toEqual({ lines: [2, 3, 4, 5], change: { canarySettledAt: NOW } });
});
