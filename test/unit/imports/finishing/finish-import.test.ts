import { beforeEach, expect, it } from 'vitest';
import type { ProbeFinding } from '../../../../shared/causes/verdict.ts';
import { type FinishDeps, finishImport, hasEndToReach } from '../../../../shared/imports/finishing/finish-import.ts';
import type { Import } from '../../../../shared/imports/import.ts';
import { type HeldLease, type LeaseDeps, withLease } from '../../../../shared/imports/import-lease.ts';
import type { ImportStore } from '../../../../shared/imports/import-store.ts';
import type { Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import { createSerialByKey } from '../../../../shared/imports/ledger/serial-by-key.ts';
import { sumTallies } from '../../../../shared/imports/ledger/tally.ts';
import { createTallyBook } from '../../../../shared/imports/ledger/tally-book.ts';
import { systemClock } from '../../../../shared/kernel/clock.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import type { Slots } from '../../../../shared/plans/slots.ts';
import { inMemoryImports } from '../../../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { inMemorySlots } from '../../../fakes/in-memory-slots.ts';
import { storePlannedImport } from '../../../support/planned-import.ts';
import { RECORDS_NOW } from '../../../support/records.ts';
import { someRetention } from '../../../support/some-retention.ts';

const FAILED = 1_200;
const LEASE_MS = 15_000;
const passed: ProbeFinding = { verdict: 'passed', checkedAt: RECORDS_NOW };
const denied: ProbeFinding = {
  verdict: 'failed',
  cause: 'consent_missing',
  checkedAt: RECORDS_NOW,
  denial: { byPolicy: false, token: 'empty', mailboxOpened: false },
};

let now: number;
let imports: ImportStore;
let ledger: Ledger;
let slots: Slots;
let ended: string[];
/** The mailboxes that are cleaned later. */
let cleaned: string[];
beforeEach(() => {
  now = RECORDS_NOW.getTime();
  imports = inMemoryImports();
  ledger = inMemoryLedger();
  slots = inMemorySlots();
  ended = [];
  cleaned = [];
});

let processes = 0;
function startProcess(change: Partial<Ledger> = {}): FinishDeps & LeaseDeps {
  const holder = `p${++processes}`;
  return {
    imports,
    ledger: { ...ledger, ...change },
    slots,
    serialByKey: createSerialByKey(),
    tallies: createTallyBook(holder, { write: () => undefined }, systemClock),
    retention: someRetention(),
    importEvents: { ended: async ({ id }) => void ended.push(id) },
    importQueues: {
      sendDispatch: async () => undefined,
      sendCheck: async ({ address, cleanupOnly }) => void (cleanupOnly && cleaned.push(address)),
    },
    limits: { cleanupAfterMs: 120_000 },
    clock: { now: () => new Date(now) },
    sleep: async (ms) => {
      now += ms;
    },
    leasing: { holder, leaseMs: LEASE_MS },
  };
}

const read = async (): Promise<Import | undefined> => (await imports.get('cust_1', 'imp_1'))?.value;

async function finish(deps: FinishDeps & LeaseDeps, until = Number.POSITIVE_INFINITY) {
  const found = await imports.get('cust_1', 'imp_1');
  if (!found) throw new Error('the import is gone');
  return (await withLease(deps, found, (lease: HeldLease) => finishImport(deps, lease, until)))?.result;
}

async function expectCancelled(): Promise<void> {
  expect(await read()).toMatchObject({ status: 'cancelled', counts: { passed: 100, cancelled: 2_600, pending: 0 } });
  expect(sumTallies(await ledger.listTallies('conn_1', 'imp_1'))).toMatchObject({
    cancelled: 2_600,
    slotsFreed: 2_600,
  });
  expect((await slots.get('cust_1'))?.used).toBe(100);
  expect(ended).toEqual(['imp_1']);
}

const storeCancelling = () =>
  storePlannedImport(
    { imports, ledger, slots },
    [
      { rows: 100, state: 'passed' },
      { rows: 2_500, state: 'pending' },
      { rows: 100, state: 'waiting' },
    ],
    { status: 'cancelling' },
  );

it('a cancel has the mailboxes cleaned in which an earlier try may have left a draft, and no others', async () => {
  await storeCancelling();
  const addresses: string[] = [];
  for (const line of [700, 2_650]) {
    const row = await ledger.getRow('conn_1', 'imp_1', line);
    addresses.push(row?.value.address ?? '');
    const patch = { mayHaveLeftovers: true };
    await ledger.commit('conn_1', [{ op: 'mergeRow', importId: 'imp_1', line, tag: row?.tag ?? '', patch }]);
  }
  await finish(startProcess());
  await expectCancelled();
  expect(cleaned).toEqual(addresses);
});

it('continues a cancel where the last shift stopped', async () => {
  await storeCancelling();
  const firstLines: number[] = [];
  const process = startProcess({
    async findRows(connectionId, importId, query) {
      firstLines.push(query.fromLine);
      now += 1_000;
      return ledger.findRows(connectionId, importId, query);
    },
  });
  let shifts = 0;
  do shifts++;
  while ((await finish(process, now + 500)) === 'unfinished');
  await expectCancelled();
  expect(shifts).toBeGreaterThan(2);
  expect(firstLines).toEqual([...firstLines].sort((a, b) => a - b));
  expect(new Set(firstLines).size).toBe(firstLines.length);
});

it.each([1, 2, 3, 5, 20, 21, 53, 54])(
  'stays exact if the process dies after its write number %i',
  async (deathAfter) => {
    await storeCancelling();
    let commits = 0;
    const never = new Promise<never>(() => undefined);
    const dying = startProcess({
      async commit(connectionId, changes) {
        if (commits >= deathAfter) return never;
        commits++;
        const result = await ledger.commit(connectionId, changes);
        return commits >= deathAfter ? never : result;
      },
    });
    const isDead = Symbol('dead');
    const result = await Promise.race([finish(dying), new Promise((resolve) => setTimeout(resolve, 50, isDead))]);
    if (result === isDead) {
      now += LEASE_MS + 1;
      await finish(startProcess());
    }
    await expectCancelled();
  },
);

it('counts each row once if every second answer of storage is lost', async () => {
  await storeCancelling();
  let commits = 0;
  const process = startProcess({
    async commit(connectionId, changes) {
      const result = await ledger.commit(connectionId, changes);
      if (++commits % 2 === 0) throw new DomainError('storage_unavailable', 'The answer was lost.');
      return result;
    },
  });
  for (let tries = 0; tries < 50 && ended.length === 0; tries++) await finish(process).catch(() => undefined);
  await expectCancelled();
});

it('leaves a row to the check that settles it first', async () => {
  await storeCancelling();
  const tally = { importId: 'imp_1', writer: 'worker.1', counts: { ...sumTallies([]), passed: 1 } };
  let isSettled = false;
  const process = startProcess({
    async commit(connectionId, changes) {
      if (!isSettled) {
        isSettled = true;
        const row = await ledger.getRow('conn_1', 'imp_1', 110);
        await ledger.commit('conn_1', [
          { op: 'mergeRow', importId: 'imp_1', line: 110, patch: { state: 'passed' }, tag: row?.tag ?? '' },
          { op: 'mergeMailbox', address: row?.value.address ?? '', patch: { status: 'active', openRow: null } },
          { op: 'writeTally', tally },
        ]);
      }
      return ledger.commit(connectionId, changes);
    },
  });
  await finish(process);
  expect(await read()).toMatchObject({ status: 'cancelled', counts: { passed: 101, cancelled: 2_599, pending: 0 } });
  expect((await slots.get('cust_1'))?.used).toBe(101);
});

it('stops without another write once another process has the lease', async () => {
  await storeCancelling();
  let commits = 0;
  const slow = startProcess({
    async commit(connectionId, changes) {
      const result = await ledger.commit(connectionId, changes);
      if (++commits === 2) {
        now += LEASE_MS + 1;
        await finish(startProcess());
      }
      return result;
    },
  });
  expect(await finish(slow)).toBe('lost');
  expect(commits).toBe(2);
  await expectCancelled();
});

it('renews its lease while it explains many denials, and continues at the checkpoint', async () => {
  await storePlannedImport({ imports, ledger, slots }, [
    { rows: 2, state: 'passed', checks: { 'graph.send': passed } },
    { rows: FAILED, state: 'failed', checks: { 'graph.send': denied } },
  ]);
  let commits = 0;
  const gaps: number[] = [];
  const process = startProcess({
    async commit(connectionId, changes) {
      const until = (await read())?.lease?.until.getTime() ?? 0;
      gaps.push(until - now);
      now += 5_000;
      if (++commits === 23) throw new DomainError('storage_unavailable', 'Storage is unavailable.');
      return ledger.commit(connectionId, changes);
    },
  });
  await expect(finish(process)).rejects.toMatchObject({ code: 'storage_unavailable' });
  expect(await read()).toMatchObject({ status: 'running', ending: { step: 'explain', passed: ['graph.send'] } });
  await finish(process);
  expect(Math.min(...gaps)).toBeGreaterThan(0);
  // 25 groups of rows, and no more than one step of them twice.
  expect(commits).toBeLessThanOrEqual(25 + 20);
  expect(await read()).toMatchObject({ status: 'completed', counts: { failed: FAILED, passed: 2 } });
  const rows = await ledger.findRows('conn_1', 'imp_1', { fromLine: 0, states: ['failed'], limit: FAILED });
  expect(rows.filter(({ value }) => value.cause !== 'mailbox_out_of_scope')).toEqual([]);
});

it('ends a paused import whose last checks settled after the pause, and leaves other paused imports alone', async () => {
  const settled = await storePlannedImport({ imports, ledger, slots }, [{ rows: 3, state: 'passed' }], {
    status: 'paused',
  });
  expect(await hasEndToReach({ ledger }, settled)).toBe(true);
  expect(await finish(startProcess())).toBe('ended');
  expect(await read()).toMatchObject({ status: 'completed' });
  const open = await storePlannedImport(
    { imports, ledger, slots },
    [
      { rows: 1, state: 'passed' },
      { rows: 1, state: 'waiting' },
    ],
    { id: 'imp_2', status: 'paused' },
  );
  expect(await hasEndToReach({ ledger }, open)).toBe(false);
});
