import { beforeEach, describe, expect, it } from 'vitest';
import { finishImport } from '../../../shared/imports/finishing/finish-import.ts';
import { type Import, isEnded } from '../../../shared/imports/import.ts';
import { withLease } from '../../../shared/imports/import-lease.ts';
import { changeRows } from '../../../shared/imports/ledger/change-rows.ts';
import { rowResultOf } from '../../../shared/imports/ledger/row-result.ts';
import { sumTallies } from '../../../shared/imports/ledger/tally.ts';
import { createTallyBook } from '../../../shared/imports/ledger/tally-book.ts';
import { reconcileCustomer } from '../../../shared/imports/reconciling/reconcile-customer.ts';
import { reopenRows } from '../../../shared/imports/recovering/reopen-rows.ts';
import { queues } from '../../../shared/kernel/storage-names.ts';
import { archivePoison } from '../../../shared/operations/archive-poison.ts';
import {
  DECIDED_MAX,
  discardAll,
  discardOne,
  finishRequeues,
  requeueAll,
  requeueOne,
} from '../../../shared/operations/decide-poison.ts';
import { inMemoryConnections } from '../../fakes/in-memory-connections.ts';
import { inMemoryImports } from '../../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../../fakes/in-memory-ledger.ts';
import { inMemoryPoisonArchive } from '../../fakes/in-memory-poison-archive.ts';
import { inMemorySlots } from '../../fakes/in-memory-slots.ts';
import { createApiDeps, NOW } from '../../support/api.ts';
import { storePlannedImport } from '../../support/planned-import.ts';
import { aCheckMessage, aConnection } from '../../support/records.ts';

const base = createApiDeps();
type Deps = typeof base;
let deps: Deps;

const defect = { 'graph.send': { verdict: 'failed', cause: 'internal_error', checkedAt: NOW } } as const;
const passed = { 'graph.send': { verdict: 'passed', checkedAt: NOW } } as const;
/** Two mailboxes passed, and those on the next lines met a defect. */
const FIRST_POISONED = 4;
const keyOf = (line: number) => `imp_1:${line}`;

/** Everything anew. */
async function open(): Promise<void> {
  base.time.now = NOW;
  deps = {
    ...base,
    connections: inMemoryConnections(),
    imports: inMemoryImports(),
    ledger: inMemoryLedger(),
    slots: inMemorySlots(),
    poisonArchive: inMemoryPoisonArchive(),
    tallies: createTallyBook('p', base.reports, base.clock),
  };
  await deps.connections.insert(aConnection());
}
beforeEach(open);

async function poisoned(rows: number): Promise<void> {
  await storePlannedImport(deps, [
    { rows: 2, state: 'passed', checks: passed },
    { rows, state: 'failed', checks: defect },
  ]);
  await end();
  for (let line = FIRST_POISONED; line < FIRST_POISONED + rows; line++) await poison(line);
}

const poison = (line: number, attempt = 0) =>
  archivePoison(
    { ...deps, isOwnerGone: async () => false },
    {
      queue: queues.checkMailbox,
      key: keyOf(line),
      message: JSON.parse(JSON.stringify(aCheckMessage({ line, attempt }))),
      error: 'TypeError: injected',
      poisonedAt: deps.time.now,
    },
  );

const pass = (ms: number) => {
  deps.time.now = new Date(deps.time.now.getTime() + ms);
};

async function read() {
  const record = (await deps.imports.get('cust_1', 'imp_1'))?.value;
  if (!record) throw new Error('the import is gone');
  const { waiting, passed, failed, reopened } = sumTallies(await deps.ledger.listTallies('conn_1', 'imp_1'));
  const used = (await deps.slots.get('cust_1'))?.used;
  return { record, tallies: { waiting, passed, failed, reopened }, used };
}

/** What a dispatcher does with an import whose rows are all settled. */
async function end(): Promise<void> {
  const found = await deps.imports.get('cust_1', 'imp_1');
  if (!found || (isEnded(found.value.status) && !found.value.eventPending)) return;
  await withLease(deps, found, (lease) => finishImport(deps, lease, Number.POSITIVE_INFINITY));
}

/** Checks every row that waits. All of them pass now. */
async function check(): Promise<number> {
  const waiting = await deps.ledger.findRows('conn_1', 'imp_1', { fromLine: 0, states: ['waiting'], limit: 1_000 });
  const result = rowResultOf(passed, 'user');
  await changeRows(deps, { connectionId: 'conn_1', id: 'imp_1' }, waiting, () => ({
    ...result,
    row: { ...result.row, state: 'passed' },
    counts: { waiting: -1, passed: 1 },
  }));
  return waiting.length;
}

const requeue = (line = FIRST_POISONED, by: Deps = deps) => requeueOne(by, queues.checkMailbox, keyOf(line));
const requeueRowsAgain = () =>
  reopenRows(deps, {
    customerId: 'cust_1',
    connectionId: 'conn_1',
    importId: 'imp_1',
    rows: [{ line: FIRST_POISONED, attempt: 0 }],
  });
async function changeImport(change: Partial<Import>): Promise<void> {
  const found = await deps.imports.get('cust_1', 'imp_1');
  if (found) await deps.imports.update({ ...found.value, ...change }, found.tag);
}
/** The row fails for a reason that is not ours. */
async function settleOtherwise(): Promise<void> {
  const [row] = await deps.ledger.findRows('conn_1', 'imp_1', { fromLine: 0, states: ['failed'], limit: 1 });
  const patch = { cause: 'mailbox_not_found' } as const;
  if (row) {
    const { line } = row.value;
    await deps.ledger.commit('conn_1', [{ op: 'mergeRow', importId: 'imp_1', line, tag: row.tag, patch }]);
  }
}
const expectRightSlots = async () =>
  expect(await reconcileCustomer({ ...deps }, 'cust_1', 'r')).toMatchObject({ kind: 'right' });

describe('requeuing a check', () => {
  it('opens the row again, and the import ends with exact counts and slots', async () => {
    await poisoned(1);
    expect(await read()).toMatchObject({ record: { status: 'completed', counts: { passed: 2, failed: 1 } }, used: 2 });
    expect(await requeue()).toBe('requeued');
    expect(await read()).toMatchObject({
      record: { status: 'running' },
      tallies: { waiting: 1, passed: 2, failed: 0, reopened: 1 },
      used: 3,
    });
    expect((await deps.imports.listOpen()).map(({ importId }) => importId)).toEqual(['imp_1']);
    await expectRightSlots();
    expect(await check()).toBe(1);
    await end();
    const { record, used } = await read();
    expect(record).toMatchObject({ status: 'completed', counts: { accepted: 3, passed: 3, failed: 0, waiting: 0 } });
    expect(used).toBe(3);
    await expectRightSlots();
  });

  it('the defect stays in the history of the mailbox when the row gets its verdict', async () => {
    await poisoned(1);
    const { address } = (await deps.ledger.getRow('conn_1', 'imp_1', FIRST_POISONED))?.value ?? { address: '' };
    const history = [{ changedAt: NOW, verdict: 'failed', cause: 'internal_error' }] as const;
    await deps.ledger.commit('conn_1', [{ op: 'mergeMailbox', address, patch: { history } }]);
    await requeue();
    const row = await deps.ledger.getRow('conn_1', 'imp_1', FIRST_POISONED);
    expect(row?.value).toMatchObject({ state: 'waiting', historyBefore: history });
  });

  it('a second time does nothing, before and after the row has its verdict', async () => {
    await poisoned(1);
    await requeue();
    const before = await read();
    expect(await requeue()).toBe('nothingToDo');
    expect((await read()).tallies).toEqual(before.tallies);
    await check();
    await end();
    expect(await requeue()).toBe('nothingToDo');
    expect(await requeueAll(deps, queues.checkMailbox)).toMatchObject({ decided: 0, hasMore: false });
    expect(await read()).toMatchObject({ record: { status: 'completed', counts: { passed: 3 } }, used: 3 });
  });

  it('many callers at the same time open the row once', async () => {
    await poisoned(1);
    await Promise.all(Array.from({ length: 8 }, () => requeue()));
    expect(await read()).toMatchObject({ tallies: { waiting: 1, failed: 0, reopened: 1 }, used: 3 });
  });

  it('a row that is poisoned once more can be requeued once more', async () => {
    await poisoned(1);
    for (const attempt of [1, 2]) {
      pass(600_000);
      expect(await requeue()).toBe('requeued');
      const [row] = await deps.ledger.findRows('conn_1', 'imp_1', { fromLine: 0, states: ['waiting'], limit: 5 });
      expect(row?.value.attempt).toBe(attempt);
      const result = rowResultOf(defect, 'unknown');
      await changeRows(deps, { connectionId: 'conn_1', id: 'imp_1' }, row ? [row] : [], () => ({
        ...result,
        row: { ...result.row, state: 'failed' },
        counts: { ...result.counts, waiting: -1, failed: 1 },
      }));
      await end();
      expect(await read()).toMatchObject({ record: { counts: { passed: 2, failed: 1 } }, used: 2 });
      pass(1_000);
      await poison(FIRST_POISONED, attempt);
    }
    await expectRightSlots();
  });

  it('a process that slept through all of that opens nothing: it names the attempt that failed', async () => {
    await poisoned(1);
    await requeue();
    const [row] = await deps.ledger.findRows('conn_1', 'imp_1', { fromLine: 0, states: ['waiting'], limit: 5 });
    const result = rowResultOf(defect, 'unknown');
    await changeRows(deps, { connectionId: 'conn_1', id: 'imp_1' }, row ? [row] : [], () => ({
      ...result,
      row: { ...result.row, state: 'failed' },
      counts: { ...result.counts, waiting: -1, failed: 1 },
    }));
    await end();
    const of = { customerId: 'cust_1', connectionId: 'conn_1', importId: 'imp_1' };
    const late = await reopenRows(deps, { ...of, rows: [{ line: FIRST_POISONED, attempt: 0 }] });
    expect([...late]).toEqual([[FIRST_POISONED, 'nothingToDo']]);
    expect(await read()).toMatchObject({ record: { status: 'completed', counts: { failed: 1 } }, used: 2 });
  });

  it('refuses if the customer has no free slot, and leaves the message for later', async () => {
    await poisoned(1);
    await deps.slots.setLimit('cust_1', 2);
    await expect(requeue()).rejects.toMatchObject({ code: 'slot_limit_reached' });
    expect(await deps.poisonArchive.count(queues.checkMailbox, 9)).toBe(1);
    await end();
    expect(await read()).toMatchObject({ record: { status: 'completed', counts: { failed: 1 } }, used: 2 });
    await deps.slots.setLimit('cust_1', 3);
    expect(await requeue()).toBe('requeued');
    expect((await read()).used).toBe(3);
  });

  it.each(['cancelled', 'failed', 'cancelling'] as const)('does nothing for an import that is %s', async (status) => {
    await poisoned(1);
    const found = await deps.imports.get('cust_1', 'imp_1');
    if (found) await deps.imports.update({ ...found.value, status }, found.tag);
    expect(await requeue()).toBe('nothingToDo');
    expect(await read()).toMatchObject({ record: { status }, tallies: { failed: 1 }, used: 2 });
  });

  it.each([
    ['cancelled', async () => changeImport({ status: 'cancelled' })],
    ['failed for another cause', settleOtherwise],
  ] as const)('gives back the slot of a call that died, if the row is %s before the next call', async (_, happens) => {
    await poisoned(1);
    const dies = async () => Promise.reject(new Error('the process is dead'));
    const { slots } = deps;
    const ledger = { ...deps.ledger, commit: dies };
    await expect(
      requeue(FIRST_POISONED, { ...deps, ledger, slots: { ...slots, undoReclaim: dies } }),
    ).rejects.toThrow();
    expect((await read()).used).toBe(3);
    await happens();
    await requeue();
    expect((await read()).used).toBe(2);
    await requeueRowsAgain();
    expect((await read()).used).toBe(2);
  });

  it('keeps the slot of a row that was opened, whatever becomes of its import', async () => {
    await poisoned(1);
    await requeue();
    await check();
    await end();
    await changeImport({ status: 'cancelled' });
    await requeueRowsAgain();
    expect((await read()).used).toBe(3);
  });

  it('does nothing if a later import has the mailbox, or the customer has removed it', async () => {
    await poisoned(2);
    const rows = await deps.ledger.findRows('conn_1', 'imp_1', { fromLine: 0, states: ['failed'], limit: 5 });
    const [first, second] = rows.map(({ value }) => value.address);
    const later = { importId: 'imp_2', openRow: 'imp_2:9', status: 'pending' } as const;
    await deps.ledger.commit('conn_1', [{ op: 'mergeMailbox', address: first ?? '', patch: later }]);
    const active = { status: 'active' } as const;
    await deps.ledger.commit('conn_1', [{ op: 'mergeMailbox', address: second ?? '', patch: active }]);
    expect(await requeueAll(deps, queues.checkMailbox)).toEqual({
      decided: 0,
      nothingToDo: 2,
      noSlot: 0,
      hasMore: false,
    });
    await end();
    expect(await read()).toMatchObject({ record: { status: 'completed', counts: { failed: 2 } }, used: 2 });
  });

  it('all of them, more than fit into one transaction, in one go', async () => {
    await poisoned(120);
    expect(await requeueAll(deps, queues.checkMailbox)).toMatchObject({ decided: 120, nothingToDo: 0 });
    expect(await read()).toMatchObject({ tallies: { waiting: 120, failed: 0, reopened: 120 }, used: 122 });
    expect(await check()).toBe(120);
    await end();
    expect(await read()).toMatchObject({ record: { counts: { passed: 122, failed: 0 } }, used: 122 });
  });
});

it('a discarded message stays settled, and can no longer be requeued', async () => {
  await poisoned(1);
  expect(await discardOne(deps, queues.checkMailbox, keyOf(FIRST_POISONED))).toBe('discarded');
  expect(await discardOne(deps, queues.checkMailbox, keyOf(FIRST_POISONED))).toBe('nothingToDo');
  expect(await requeue()).toBe('nothingToDo');
  expect(await read()).toMatchObject({ record: { status: 'completed', counts: { failed: 1 } }, used: 2 });
});

/** The dependencies of a process that dies before its call number `deathAt` of anything that is stored or sent. */
function dying(deathAt: number) {
  let calls = 0;
  let isDead = false;
  const wrap = <T extends object>(store: T): T =>
    new Proxy(store, {
      get(target, name, receiver) {
        const value = Reflect.get(target, name, receiver);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          isDead ||= ++calls >= deathAt;
          if (isDead) throw new Error('the process is dead');
          return value.apply(target, args);
        };
      },
    });
  const { poisonArchive, imports, ledger, slots, importQueues } = deps;
  const mortal: Deps = {
    ...deps,
    poisonArchive: wrap(poisonArchive),
    imports: wrap(imports),
    ledger: wrap(ledger),
    slots: wrap(slots),
    importQueues: wrap(importQueues),
  };
  return { mortal, hasDied: () => isDead };
}

describe.each([
  ['and nobody looks at the import in between', false],
  ['and a dispatcher ends the import in between', true],
])('if the process dies before any step of a requeue %s', (_, endsInBetween) => {
  it('the timer, or the operator who repeats it, finishes it exactly once', async () => {
    let deaths = 0;
    for (let deathAt = 1; ; deathAt++) {
      await open();
      await poisoned(2);
      const { mortal, hasDied } = dying(deathAt);
      await requeueAll(mortal, queues.checkMailbox).catch(() => undefined);
      if (!hasDied()) break;
      deaths++;
      pass(61_000);
      if (endsInBetween) await end();
      if (deathAt % 2 === 0) await finishRequeues(deps, () => undefined);
      else await requeueAll(deps, queues.checkMailbox);
      // A message that was not decided yet is still open.
      await requeueAll(deps, queues.checkMailbox);
      await finishRequeues(deps, () => undefined);
      expect((await read()).tallies, `death before call ${deathAt}`).toMatchObject({
        waiting: 2,
        failed: 0,
        reopened: 2,
      });
      await expectRightSlots();
      expect(await check()).toBe(2);
      await end();
      const { record, used } = await read();
      expect(record, `death before call ${deathAt}`).toMatchObject({
        status: 'completed',
        counts: { accepted: 4, passed: 4, failed: 0, waiting: 0, pending: 0 },
      });
      expect(used).toBe(4);
      await expectRightSlots();
      expect(await deps.poisonArchive.count(queues.checkMailbox, 9)).toBe(0);
    }
    expect(deaths).toBeGreaterThan(15);
  });
});

it('messages without a slot do not stop those behind them, and do not ask for another request', async () => {
  await poisoned(DECIDED_MAX + 1);
  await deps.slots.setLimit('cust_1', 2);
  const cleanup = JSON.parse(JSON.stringify(aCheckMessage({ cleanupOnly: true })));
  const archivedAt = deps.time.now;
  const { checkMailbox: queue } = queues;
  await deps.poisonArchive.insert({ queue, key: 'last', message: cleanup, archivedAt, state: 'open' });
  const noSlot = DECIDED_MAX + 1;
  expect(await requeueAll(deps, queue)).toEqual({ decided: 1, nothingToDo: 0, noSlot, hasMore: false });
  expect(await requeueAll(deps, queue)).toEqual({ decided: 0, nothingToDo: 0, noSlot, hasMore: false });
  await deps.slots.setLimit('cust_1', 10_000);
  expect(await requeueAll(deps, queue)).toMatchObject({
    decided: DECIDED_MAX,
    nothingToDo: 0,
    noSlot: 0,
    hasMore: true,
  });
  expect(await requeueAll(deps, queue)).toEqual({ decided: 1, nothingToDo: 0, noSlot: 0, hasMore: false });
});

it('however many messages have no slot, a call goes on behind them where the one before it stopped', async () => {
  const { checkMailbox: queue } = queues;
  // Ten pages whose messages stay, as those without a slot do, and one more.
  const messages = 5_100;
  const list: typeof deps.poisonArchive.list = async (_queue, { limit, cursor = '0' }) => {
    const from = Number(cursor);
    const to = Math.min(from + limit, messages);
    return { items: [], ...(to < messages && { cursor: String(to) }) };
  };
  const crowded = { ...deps, poisonArchive: { ...deps.poisonArchive, list } };
  for (const all of [requeueAll, discardAll]) {
    const first = await all(crowded, queue);
    expect(first).toMatchObject({ decided: 0, hasMore: false, cursor: '5000' });
    expect(await all(crowded, queue, first.cursor)).toEqual({ decided: 0, nothingToDo: 0, noSlot: 0, hasMore: false });
  }
});

it('discards what is behind short and empty pages', async () => {
  const { publishEvents: queue } = queues;
  for (const key of ['a', 'b', 'c']) {
    await deps.poisonArchive.insert({ queue, key, message: {}, archivedAt: NOW, state: 'open' });
  }
  let calls = 0;
  const { list } = deps.poisonArchive;
  deps.poisonArchive.list = async (of, page) => {
    calls++;
    return calls % 2 === 1 ? { items: [], cursor: page.cursor ?? ' ' } : list(of, { ...page, limit: 1 });
  };
  expect(await discardAll(deps, queue)).toEqual({ decided: 3, nothingToDo: 0, noSlot: 0, hasMore: false });
});

it('interrupted requeues are finished, however many others fail before them', async () => {
  const { publishEvents: queue } = queues;
  const requeuing = { queue, state: 'requeuing', archivedAt: NOW, decidedAt: NOW } as const;
  for (let i = 0; i < DECIDED_MAX + 10; i++) {
    await deps.poisonArchive.insert({ ...requeuing, key: `k${i}`, message: { isStuck: true } });
  }
  await deps.poisonArchive.insert({ ...requeuing, key: 'last', message: { isStuck: false } });
  pass(61_000);
  const sent: unknown[] = [];
  const failing: Deps = {
    ...deps,
    async sendRaw(_queue, message) {
      if ((message as { isStuck: boolean }).isStuck) throw new Error('too large');
      sent.push(message);
    },
  };
  await expect(finishRequeues(failing, () => undefined)).rejects.toThrow('too large');
  expect(sent).toEqual([{ isStuck: false }]);
});

it('one requeue that fails does not stop the others, and is told in the end', async () => {
  await poisoned(1);
  const requeuing = { state: 'requeuing', archivedAt: NOW, decidedAt: NOW } as const;
  const message = { anything: 1 };
  for (const key of ['a', 'b']) {
    await deps.poisonArchive.insert({ ...requeuing, queue: queues.deleteConnection, key, message: { key } });
    await deps.poisonArchive.insert({ ...requeuing, queue: queues.checkMailbox, key, message });
  }
  await deps.poisonArchive.insert({ ...requeuing, queue: queues.publishEvents, key: 'c', message });
  pass(61_000);
  const failed: unknown[] = [];
  const sent: string[] = [];
  const failing: Deps = {
    ...deps,
    async sendRaw(queue, sentMessage) {
      if (JSON.stringify(sentMessage).includes('"a"')) throw new Error('too large');
      sent.push(queue);
    },
  };
  const finishing = finishRequeues(failing, (_level, event, fields) => failed.push([event, fields?.key]));
  await expect(finishing).rejects.toThrow('too large');
  expect(failed).toEqual([['requeue_failed', 'a']]);
  const { checkMailbox, deleteConnection, publishEvents } = queues;
  expect(sent.toSorted()).toEqual([checkMailbox, checkMailbox, deleteConnection, publishEvents].toSorted());
  const left = await deps.poisonArchive.listRequeuing(deps.time.now, { limit: 9 });
  expect(left.items.map(({ key }) => key)).toEqual(['a']);
});
