import { beforeEach, expect, it } from 'vitest';
import { finishImport } from '../../../../shared/imports/finishing/finish-import.ts';
import { purgeConnection } from '../../../../shared/imports/finishing/purge-connection.ts';
import { withLease } from '../../../../shared/imports/import-lease.ts';
import { createSerialByKey } from '../../../../shared/imports/ledger/serial-by-key.ts';
import { createTallyBook } from '../../../../shared/imports/ledger/tally-book.ts';
import { systemClock } from '../../../../shared/kernel/clock.ts';
import { inMemoryImports } from '../../../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { inMemorySlots } from '../../../fakes/in-memory-slots.ts';
import { storePlannedImport } from '../../../support/planned-import.ts';
import { anImport, aPlan, aRow, aTally, RECORDS_NOW } from '../../../support/records.ts';
import { someRetention } from '../../../support/some-retention.ts';

const LATE = { importId: 'imp_late', openedAt: RECORDS_NOW };

let now: number;
const shared = { imports: inMemoryImports(), ledger: inMemoryLedger(), slots: inMemorySlots() };
let ended: string[];
/** The imports that have left the pool of messages. */
let left: string[];
/** The imports whose archived messages are gone. */
let unarchived: string[];
/** What happens while a process sleeps. */
let onSleep: () => Promise<void>;

beforeEach(async () => {
  now = RECORDS_NOW.getTime();
  Object.assign(shared, { imports: inMemoryImports(), ledger: inMemoryLedger(), slots: inMemorySlots() });
  ended = [];
  left = [];
  unarchived = [];
  onSleep = async () => undefined;
  await storePlannedImport(shared, [
    { rows: 30, state: 'passed' },
    { rows: 90, state: 'pending' },
    { rows: 5, state: 'waiting' },
  ]);
});

const startProcess = (holder: string) => ({
  ...shared,
  serialByKey: createSerialByKey(),
  tallies: createTallyBook(holder, { write: () => undefined }, systemClock),
  uploads: { remove: async () => undefined },
  messagePool: { remove: async (importId: string) => void left.push(importId) },
  poisonArchive: { remove: async (importId: string) => void unarchived.push(importId) },
  retention: someRetention(),
  importEvents: { ended: async ({ id }: { id: string }) => void ended.push(id) },
  importQueues: {
    sendPlan: async () => undefined,
    sendDispatch: async () => undefined,
    sendCheck: async () => undefined,
    getOldestCheckSentAt: async () => undefined,
  },
  limits: { cleanupAfterMs: 120_000 },
  clock: { now: () => new Date(now) },
  sleep: async (ms: number) => {
    now += ms;
    await onSleep();
  },
  leasing: { holder, leaseMs: 10_000 },
});

async function expectGone(): Promise<void> {
  expect(await shared.imports.get('cust_1', 'imp_1')).toBeUndefined();
  expect(await shared.imports.listOpen()).toEqual([]);
  expect(await shared.ledger.findRows('conn_1', 'imp_1', { fromLine: 0, limit: 1 })).toEqual([]);
  expect((await shared.slots.get('cust_1'))?.used).toBe(0);
  expect(ended).toEqual(['imp_1']);
  expect(left).toEqual(['imp_1']);
  expect(unarchived).toEqual(['imp_1']);
}

it('ends a running import, gives every slot back once, and removes everything', async () => {
  await purgeConnection(startProcess('p1'), 'cust_1', 'conn_1');
  await expectGone();
});

it('also removes an import that a late request starts while the others are removed', async () => {
  const { purge } = shared.imports;
  shared.imports.purge = async (...args) => {
    shared.imports.purge = purge;
    await purge(...args);
    await shared.imports.insert(anImport({ id: 'imp_late', status: 'accepted', cursor: 0 }));
    await shared.imports.openPointer({ ...LATE, customerId: 'cust_1', connectionId: 'conn_1' });
  };
  await purgeConnection(startProcess('p1'), 'cust_1', 'conn_1');
  expect(await shared.imports.get('cust_1', 'imp_late')).toBeUndefined();
  expect(await shared.imports.listOpen()).toEqual([]);
  expect((await shared.slots.get('cust_1'))?.used).toBe(0);
});

it.each([
  ['ends it', true],
  ['dies', false],
])('waits for the process that cancels the import, which %s', async (_what, survives) => {
  const found = await shared.imports.get('cust_1', 'imp_1');
  const tag = found?.tag ?? '';
  const lease = { holder: 'other', until: new Date(now + 10_000) };
  if (found) await shared.imports.update({ ...found.value, status: 'cancelling', lease }, tag);
  let sleeps = 0;
  onSleep = async () => {
    if (++sleeps !== 3 || !survives) return;
    const other = startProcess('other');
    const current = await shared.imports.get('cust_1', 'imp_1');
    if (current) await withLease(other, current, (held) => finishImport(other, held, Number.POSITIVE_INFINITY));
  };
  await purgeConnection(startProcess('p1'), 'cust_1', 'conn_1');
  expect(sleeps).toBe(survives ? 3 : 10);
  await expectGone();
});

it('leaves no pointer of an import whose process died before it announced the end', async () => {
  const found = await shared.imports.get('cust_1', 'imp_1');
  if (found) await shared.imports.update({ ...found.value, status: 'cancelled', eventPending: true }, found.tag);
  await purgeConnection(startProcess('p1'), 'cust_1', 'conn_1');
  expect(await shared.imports.listOpen()).toEqual([]);
});

it('also ends an action in the middle of its work, and its slots are given back once', async () => {
  const { imports, ledger, slots } = shared;
  const action = { id: 'act_1', status: 'planning', action: 'disconnect' } as const;
  await imports.insert(anImport(action));
  await imports.openPointer({ importId: 'act_1', customerId: 'cust_1', connectionId: 'conn_1', openedAt: RECORDS_NOW });
  await slots.claim('cust_1', 'act_1', 0);
  const [mailbox] = (await ledger.findMailboxes('conn_1', { limit: 1 }, { status: 'active' })).items;
  const { address = '' } = mailbox?.value ?? {};
  const planned = { importId: 'act_1', line: 1, rows: 1, accepted: 1 };
  await ledger.commit('conn_1', [
    { op: 'mergeMailbox', address, patch: { status: 'disconnected', slotClaimedBy: null } },
    { op: 'createRow', row: aRow({ importId: 'act_1', line: 1, address, state: 'passed' }) },
    { op: 'createPlan', plan: aPlan(planned) },
    { op: 'writeTally', tally: aTally({ importId: 'act_1', counts: { passed: 1, slotsFreed: 1 } }) },
  ]);
  await purgeConnection(startProcess('a'), 'cust_1', 'conn_1');
  expect((await slots.get('cust_1'))?.used).toBe(0);
  expect(await imports.listOpen()).toEqual([]);
  expect(await imports.get('cust_1', 'act_1')).toBeUndefined();
  expect(await ledger.findRows('conn_1', 'act_1', { fromLine: 0, limit: 1 })).toEqual([]);
  expect(ended.sort()).toEqual(['act_1', 'imp_1']);
});
