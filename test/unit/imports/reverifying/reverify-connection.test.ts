import { beforeEach, expect, it } from 'vitest';
import type { Connection } from '../../../../shared/connections/connection.ts';
import { newFlow } from '../../../../shared/imports/dispatching/flow.ts';
import { flowSumsOf } from '../../../../shared/imports/dispatching/measure-flow.ts';
import type { Import } from '../../../../shared/imports/import.ts';
import { zeroCounts } from '../../../../shared/imports/ledger/tally.ts';
import { sumReports } from '../../../../shared/imports/ledger/worker-report.ts';
import { readOpenWork } from '../../../../shared/imports/reverifying/open-work.ts';
import { reverifyConnection } from '../../../../shared/imports/reverifying/reverify-connection.ts';
import type { Mailbox } from '../../../../shared/mailboxes/mailbox.ts';
import { inMemoryConnections } from '../../../fakes/in-memory-connections.ts';
import { inMemoryImports } from '../../../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { inMemoryReverifyWalks } from '../../../fakes/in-memory-reverify-walks.ts';
import { inMemorySlots } from '../../../fakes/in-memory-slots.ts';
import { inMemoryUploads } from '../../../fakes/in-memory-uploads.ts';
import { aConnection, aMailbox, anImport, RECORDS_NOW } from '../../../support/records.ts';
import { someRetention } from '../../../support/some-retention.ts';
import { uploadLimits } from '../../../support/upload-bytes.ts';

const DAY_MS = 86_400_000;
let nowMs = 0;
let world: ReturnType<typeof createWorld>;

function createWorld() {
  const tested: string[] = [];
  const planned: string[] = [];
  const deps = {
    connections: inMemoryConnections(),
    imports: inMemoryImports(),
    ledger: inMemoryLedger(),
    slots: inMemorySlots(),
    uploads: inMemoryUploads(),
    uploadLimits,
    retention: someRetention(),
    quotas: { runningImportsMax: 100, rejectedRowsMax: 1_000_000 },
    clock: { now: () => new Date(nowMs) },
    reverifyWalks: inMemoryReverifyWalks(),
    reverifyTimes: { reverifyAfterMs: 7 * DAY_MS, reverifyFailedAfterMs: DAY_MS },
    importQueues: {
      sendPlan: async ({ importId }: { importId: string }) => void planned.push(importId),
      sendDispatch: async () => undefined,
      sendCheck: async () => undefined,
      getOldestCheckSentAt: async () => undefined,
    },
    testConnection: async (_customerId: string, connectionId: string) => void tested.push(connectionId),
    sendDeletion: async () => undefined,
  };
  return { deps, tested, planned };
}

beforeEach(async () => {
  nowMs = RECORDS_NOW.getTime() + 8 * DAY_MS;
  world = createWorld();
  await world.deps.slots.open('cust_1', 100_000);
  await world.deps.connections.insert(aConnection());
});

async function addMailboxes(count: number, change: Partial<Mailbox> = {}) {
  for (let from = 0; from < count; from += 100) {
    const mailboxes = Array.from({ length: Math.min(100, count - from) }, (_, i) =>
      aMailbox({ address: `user${from + i}@contoso.example`, status: 'active', slotClaimedBy: 'imp_1', ...change }),
    );
    await world.deps.ledger.commit(
      'conn_1',
      mailboxes.map((mailbox) => ({ op: 'createMailbox', mailbox })),
    );
  }
}

const step = async (change = {}, connection: Connection = aConnection()) =>
  reverifyConnection({ ...world.deps, ...change }, connection, await readOpenWork(world.deps));
const actions = async (): Promise<Import[]> =>
  (await world.deps.imports.list('cust_1', 'conn_1', { limit: 100 }, 'actions')).items;
async function endAll() {
  for (const { importId } of await world.deps.imports.listOpen()) {
    const found = await world.deps.imports.get('cust_1', importId);
    const isBegun = found?.value.status === 'accepted';
    if (isBegun) await world.deps.imports.update({ ...found.value, status: 'completed' }, found.tag);
    await world.deps.imports.closePointer(importId);
  }
}

it('starts one action, also if twenty processes take the same step', async () => {
  await addMailboxes(30);
  await Promise.all(Array.from({ length: 20 }, () => step()));
  expect(await actions()).toHaveLength(1);
  expect((await actions())[0]).toMatchObject({ action: 'check', isReverification: true, uploadedRows: 30 });
});

it('starts the same action again if the process has died before it noted the step', async () => {
  await addMailboxes(30);
  const dying = { ...world.deps.reverifyWalks, put: async () => Promise.reject(new Error('the process died')) };
  await expect(step({ reverifyWalks: dying })).rejects.toThrow('died');
  const [begun] = await actions();
  await endAll();
  nowMs += 3_600_000;
  await step();
  expect((await actions()).map(({ id }) => id)).toEqual([begun?.id]);
  expect((await world.deps.reverifyWalks.get('conn_1'))?.value.serial).toBe(1);
});

it('starts nothing beside its last action, also if what goes on was read before that began', async () => {
  await addMailboxes(2_300);
  const before = await readOpenWork(world.deps);
  await step();
  expect(await reverifyConnection(world.deps, aConnection(), before)).toMatchObject({ started: 0 });
  expect(await actions()).toHaveLength(1);
});

it('goes on after a clock that was a year ahead has taken a step and checked mailboxes', async () => {
  const now = nowMs;
  nowMs += 365 * DAY_MS;
  await addMailboxes(30, { lastCheck: { checkedAt: new Date(nowMs), verdict: 'passed' } });
  await step();
  nowMs = now;
  expect((await step()).started).toBe(30);
});

it('checks a thousand mailboxes at most at a time, and goes on after them until all were checked', async () => {
  await addMailboxes(2_300);
  const sizes: number[] = [];
  for (let i = 0; i < 5; i++) {
    const { started } = await step();
    if (started > 0) sizes.push(started);
    await endAll();
    nowMs += 300_000;
  }
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(2_300);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
});

it('reads ten pages at most in a step, and nothing for an hour after the last page', async () => {
  await addMailboxes(2_300, { lastCheck: { checkedAt: new Date(nowMs), verdict: 'passed' } });
  let reads = 0;
  const ledger = {
    findMailboxes: async (...[id, page, where]: Parameters<typeof world.deps.ledger.findMailboxes>) => {
      reads++;
      return world.deps.ledger.findMailboxes(id, { ...page, limit: 100 }, where);
    },
  };
  for (const expected of [10, 20, 23, 23]) {
    await step({ ledger });
    expect(reads).toBe(expected);
    nowMs += 300_000;
  }
  nowMs += 3_600_000;
  await step({ ledger });
  expect(reads).toBe(33);
});

it('leaves a mailbox alone for some hours after a check that was inconclusive and changed nothing', async () => {
  await addMailboxes(20, { lastCheck: { checkedAt: new Date(nowMs), verdict: 'inconclusive' } });
  nowMs += 3_600_000;
  expect(await step()).toEqual({ started: 0, withoutSlot: 0 });
  nowMs += DAY_MS;
  expect((await step()).started).toBe(20);
});

it('never takes the last places for open imports of a customer', async () => {
  await addMailboxes(5);
  for (let i = 1; i <= 50; i++) {
    const pointer = { importId: `imp_${i}`, customerId: 'cust_1', connectionId: 'conn_2', openedAt: new Date(nowMs) };
    await world.deps.imports.openPointer(pointer);
  }
  expect((await step()).started).toBe(0);
  expect(await actions()).toEqual([]);
  await endAll();
  expect((await step()).started).toBe(5);
});

it.each(['ready', 'failing'] as const)(
  'cancels what has paused with a finding instead of resuming it, and leaves what a person has paused (%s)',
  async (status) => {
    const finding = { code: 'permission_missing', detail: 'Missing.', seenAt: RECORDS_NOW, isRepeatedRefusal: true };
    const target = { action: 'check', isReverification: true, status: 'paused', pausedAt: RECORDS_NOW } as const;
    for (const [id, change] of [
      ['act_1', { finding: { ...finding, isRepeatedRefusal: true } as const }],
      ['act_2', {}],
    ] as const) {
      await world.deps.imports.insert(anImport({ id, ...target, ...change }));
      await world.deps.imports.openPointer({
        importId: id,
        customerId: 'cust_1',
        connectionId: 'conn_1',
        openedAt: RECORDS_NOW,
      });
      await step({}, aConnection({ status }));
      await endAll();
    }
    const refused = (await world.deps.imports.get('cust_1', 'act_1'))?.value;
    expect(refused).toMatchObject({ status: 'cancelling', endsAs: 'cancelled', finding });
    expect(refused).not.toHaveProperty('ignoresRepeatedRefusals');
    expect((await world.deps.imports.get('cust_1', 'act_2'))?.value.status).toBe('paused');
  },
);

it('leaves a re-verification alone that a person has resumed since it was read', async () => {
  const finding = { code: 'permission_missing', detail: 'Missing.', seenAt: RECORDS_NOW };
  const paused = anImport({
    id: 'act_1',
    action: 'check',
    isReverification: true,
    status: 'paused',
    finding,
  });
  await world.deps.imports.insert(anImport({ id: 'act_1', action: 'check', isReverification: true }));
  const work = { isBusy: () => false, reverificationOf: () => paused, countOf: () => 1 };
  await reverifyConnection(world.deps, aConnection(), work);
  expect((await world.deps.imports.get('cust_1', 'act_1'))?.value.status).toBe('running');
});

it('cancels what has given way to imports for an hour, and says why', async () => {
  const gaveWayAt = nowMs - 3_600_000;
  const flow = { ...newFlow(0, flowSumsOf(zeroCounts, sumReports([])), 20), gaveWayAt };
  const behind = { action: 'check', isReverification: true, waitingFor: { cause: 'imports_first' }, flow } as const;
  const record = anImport({ id: 'act_1', ...behind });
  await world.deps.imports.insert(record);
  const statusOf = async () => (await world.deps.imports.get('cust_1', 'act_1'))?.value;
  const work = { isBusy: () => true, reverificationOf: () => record, countOf: () => 1 };
  nowMs -= 1;
  await reverifyConnection(world.deps, aConnection(), work);
  expect((await statusOf())?.status).toBe('running');
  nowMs += 1;
  await reverifyConnection(world.deps, aConnection(), work);
  expect(await statusOf()).toMatchObject({ status: 'cancelling', finding: { code: 'imports_first' } });
});

it('takes half of the free slots for failed mailboxes, fifty or a twentieth of them at most, and first for those that have been due longest', async () => {
  const checkedAt = (days: number) => ({
    lastCheck: { checkedAt: new Date(nowMs - days * DAY_MS), verdict: 'failed' as const },
  });
  const failed = Array.from({ length: 300 }, (_, i) => {
    const { slotClaimedBy: _none, ...mailbox } = aMailbox({ address: `user${i}@contoso.example`, status: 'failed' });
    return { ...mailbox, ...checkedAt(i < 200 ? 3 : 6) };
  });
  for (let from = 0; from < failed.length; from += 100) {
    const some = failed.slice(from, from + 100);
    await world.deps.ledger.commit(
      'conn_1',
      some.map((mailbox) => ({ op: 'createMailbox', mailbox })),
    );
  }
  for (const [limit, started] of [
    [100_000, 300],
    [2_000, 100],
    [99, 50],
    [60, 30],
    [3, 2],
    [1, 1],
    [0, 0],
  ] as const) {
    await world.deps.slots.setLimit('cust_1', limit);
    expect(await step()).toEqual({ started, withoutSlot: 300 - started });
    await endAll();
    nowMs += 3_600_000;
  }
  const first = (await actions()).find(({ uploadedRows }) => uploadedRows === 50);
  const upload = world.deps.uploads.stored.get(`cust_1/${first?.id}`);
  const numbers = [
    ...Buffer.from(upload?.bytes ?? [])
      .toString()
      .matchAll(/user(\d+)@/g),
  ].map(([, number]) => Number(number));
  expect(numbers).toHaveLength(50);
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(200);
});

it('takes the next failed mailboxes with each run of the timer while some are left out: 2,016 a week with one free slot', async () => {
  const addresses = Array.from({ length: 60 }, (_, i) => `user${i}@contoso.example`);
  const lastCheck = (ms: number) => ({ lastCheck: { checkedAt: new Date(ms), verdict: 'failed' as const } });
  await world.deps.ledger.commit(
    'conn_1',
    addresses.map((address) => ({
      op: 'createMailbox',
      mailbox: { ...aMailbox({ address, status: 'failed' }), ...lastCheck(nowMs - 2 * DAY_MS) },
    })),
  );
  await world.deps.slots.setLimit('cust_1', 1);
  const checked: string[] = [];
  for (let run = 0; run < addresses.length; run++) {
    await step();
    for (const { importId } of await world.deps.imports.listOpen()) {
      const upload = world.deps.uploads.stored.get(`cust_1/${importId}`);
      const { address } = JSON.parse(Buffer.from(upload?.bytes ?? []).toString()) as { address: string };
      checked.push(address);
      await world.deps.ledger.commit('conn_1', [{ op: 'mergeMailbox', address, patch: lastCheck(nowMs) }]);
    }
    await endAll();
    nowMs += 300_000;
  }
  expect(checked.sort()).toEqual(addresses.sort());
});

it('tests a connection that is failing again once a day', async () => {
  const seenAt = new Date(nowMs);
  const failing = aConnection({
    status: 'failing',
    finding: { cause: 'secret_expired', detail: 'Expired.', seenAt },
  });
  nowMs += DAY_MS - 1;
  await step({}, failing);
  expect(world.tested).toEqual([]);
  nowMs += 1;
  await step({}, failing);
  expect(world.tested).toEqual(['conn_1']);
});
