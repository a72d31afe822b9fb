import { beforeEach, describe, expect, it } from 'vitest';
import { closePlan } from '../../../../shared/imports/finishing/close-plan.ts';
import { planImport } from '../../../../shared/imports/planning/plan-import.ts';
import { reconcileCustomer } from '../../../../shared/imports/reconciling/reconcile-customer.ts';
import { reconcileSlots } from '../../../../shared/imports/reconciling/reconcile-slots.ts';
import { createNewId } from '../../../../shared/kernel/ids.ts';
import { inMemoryAudit } from '../../../fakes/in-memory-audit.ts';
import { inMemoryConnections } from '../../../fakes/in-memory-connections.ts';
import { inMemoryRunProgress } from '../../../fakes/in-memory-run-progress.ts';
import { storePlannedImport } from '../../../support/planned-import.ts';
import { createPlanningWorld } from '../../../support/planning-world.ts';
import { aConnection, anImport, aTally, RECORDS_NOW } from '../../../support/records.ts';

type World = Awaited<ReturnType<typeof createPlanningWorld>>;
let world: World;
let connections: ReturnType<typeof inMemoryConnections>;
let auditLog: ReturnType<typeof inMemoryAudit>;

beforeEach(async () => {
  world = await createPlanningWorld();
  connections = inMemoryConnections();
  auditLog = inMemoryAudit();
  await connections.insert(aConnection());
});

const stores = () => ({ ledger: world.deps.ledger, imports: world.deps.imports, slots: world.slots });
const deps = () => {
  const clock = { now: () => RECORDS_NOW };
  return { ...stores(), connections, auditLog, clock, newId: createNewId(clock.now) };
};
const reconcile = (change = {}) => reconcileCustomer({ ...deps(), ...change }, 'cust_1', 'run');
const used = async () => (await world.slots.get('cust_1'))?.used;
/** Slots that nothing holds, or that something holds and nothing counts. */
const drift = (by: number) =>
  by > 0 ? world.slots.claim('cust_1', `drift ${by}`, by) : world.slots.free('cust_1', `drift ${by}`, -by);
const users = (count: number) => Array.from({ length: count }, (_, i) => `user${i}@contoso.example`);

/** An import that is running: of 30 mailboxes, 10 have failed, and 4 of their slots are still counted. */
async function storeRunning(): Promise<void> {
  await storePlannedImport(stores(), [
    { rows: 10, state: 'passed' },
    { rows: 10, state: 'failed' },
    { rows: 10, state: 'waiting' },
  ]);
  await world.slots.giveBack('cust_1', 'imp_1', 6);
}

/** An import that is being planned: it has taken slots that nothing counts yet. */
async function storePlanning(): Promise<void> {
  await world.addImport('imp_2', users(120));
  await world.deps.imports.openPointer({
    importId: 'imp_2',
    customerId: 'cust_1',
    connectionId: 'conn_1',
    openedAt: RECORDS_NOW,
  });
  const claim = async () => new Promise<never>(() => undefined);
  void planImport({ ...world.deps, slots: { claim } }, 'cust_1', 'imp_2');
  await expect.poll(() => world.deps.ledger.countSlots('conn_1')).toBeGreaterThanOrEqual(120);
}

const storeBoth = async () => {
  await storeRunning();
  await storePlanning();
};
const cases: [what: string, store: () => Promise<unknown>, used: number][] = [
  ['nothing', async () => undefined, 0],
  ['an import that is running', storeRunning, 24],
  ['an import that is being planned', storePlanning, 0],
  ['both', storeBoth, 24],
];

describe.each(cases)('beside %s', (_what, store, expected) => {
  beforeEach(() => store());

  it('leaves a count alone that is right', async () => {
    expect(await used()).toBe(expected);
    expect(await reconcile()).toEqual({ kind: 'right' });
    expect(await used()).toBe(expected);
    expect((await auditLog.list({}, { limit: 10 })).items).toEqual([]);
  });

  it('repairs a count that is too high, once, with one audit record', async () => {
    await drift(7);
    expect(await reconcile()).toEqual({ kind: 'repaired', from: expected + 7, to: expected });
    expect(await used()).toBe(expected);
    expect((await auditLog.list({ customerId: 'cust_1' }, { limit: 10 })).items).toMatchObject([
      { action: 'slots.reconcile', object: `slotsUsed ${expected + 7} to ${expected}`, result: 'succeeded' },
    ]);
    expect(await reconcile()).toEqual({ kind: 'right' });
  });
});

it('repairs a count that is too low', async () => {
  await storeRunning();
  await drift(-5);
  expect(await reconcile()).toEqual({ kind: 'repaired', from: 19, to: 24 });
});

it('finds nothing wrong with an import that was cancelled before it had a claim', async () => {
  await storePlanning();
  await closePlan(world.deps, anImport({ id: 'imp_2' }));
  await world.slots.trim('cust_1', 'imp_2', 0);
  expect(await reconcile()).toEqual({ kind: 'right' });
});

describe('changes nothing if, while it counts the mailboxes,', () => {
  /** Something happens each time that the mailboxes are counted, before it or after it. */
  const during = (work: (time: number) => Promise<unknown>, when: 'before' | 'after') => {
    let times = 0;
    return {
      ledger: {
        ...world.deps.ledger,
        async countSlots(connectionId: string) {
          if (when === 'before') await work(++times);
          const held = await world.deps.ledger.countSlots(connectionId);
          if (when === 'after') await work(++times);
          return held;
        },
      },
    };
  };

  /** A mailbox fails, as a worker settles it. */
  const fail = async (time: number) => {
    const [row] = await world.deps.ledger.findRows('conn_1', 'imp_1', { fromLine: 0, states: ['waiting'], limit: 1 });
    const { line = 0, address = '' } = row?.value ?? {};
    await world.deps.ledger.commit('conn_1', [
      { op: 'mergeRow', importId: 'imp_1', line, patch: { state: 'failed' }, tag: row?.tag ?? '' },
      { op: 'mergeMailbox', address, patch: { status: 'failed', openRow: null, slotClaimedBy: null } },
      {
        op: 'writeTally',
        tally: aTally({ writer: `worker.${time}`, counts: { failed: 1, waiting: -1, slotsFreed: 1 } }),
      },
    ]);
  };

  const changes: [what: string, when: 'before' | 'after', work: (time: number) => Promise<unknown>][] = [
    ['mailboxes fail', 'before', fail],
    ['mailboxes fail', 'after', fail],
    ['slots are claimed', 'after', (time) => world.slots.claim('cust_1', `imp_x${time}`, 2)],
    ['slots are given back', 'after', (time) => world.slots.giveBack('cust_1', 'imp_1', 6 + time)],
    ['an import ends without a claim', 'after', (time) => world.slots.trim('cust_1', `imp_x${time}`, 0)],
    ['the plan gets another limit', 'after', (time) => world.slots.setLimit('cust_1', 100 + time)],
  ];
  it.each(changes)('%s (%s the count)', async (_what, when, work) => {
    await storeRunning();
    await drift(7);
    expect(await reconcile(during(work, when))).toEqual({ kind: 'busy' });
    expect((await auditLog.list({}, { limit: 10 })).items).toEqual([]);
    // Once it is quiet, the drift is found exactly.
    expect(await reconcile()).toMatchObject({ kind: 'repaired' });
    expect(await reconcile()).toEqual({ kind: 'right' });
  });

  it('a connection is deleted', async () => {
    await storeRunning();
    await drift(7);
    const found = await connections.get('cust_1', 'conn_1');
    const remove = async () => void (found && (await connections.hide(found.value, found.tag, RECORDS_NOW)));
    expect(await reconcile(during(remove, 'before'))).toEqual({ kind: 'busy' });
  });
});

describe('the run over all customers', () => {
  const customers = (ids: string[]) => ({
    list: async ({ cursor, limit }: { cursor?: string; limit: number }) => {
      const from = cursor === undefined ? 0 : Number(cursor);
      const items = ids.slice(from, from + limit).map((id) => ({ id }));
      return { items, ...(from + limit < ids.length && { cursor: String(from + limit) }) };
    },
  });
  const ids = Array.from({ length: 50 }, (_, i) => `cust_${i + 1}`);
  const logged: string[] = [];
  const log = (_level: string, event: string) => void logged.push(event);
  beforeEach(() => void logged.splice(0));

  it('repairs each of them, and goes on after one that cannot be read', async () => {
    await drift(3);
    const getTagged = async (id: string) => {
      if (id === 'cust_7') throw new Error('unreadable');
      return world.slots.getTagged(id);
    };
    const all = { ...deps(), slots: { ...world.slots, getTagged }, customers: customers(ids) };
    const result = await reconcileSlots({ ...all, reconcileProgress: inMemoryRunProgress() }, log);
    expect(result).toEqual({ customers: 50, repaired: 1, busy: 0, failed: 1, isComplete: true });
    expect(logged.sort()).toEqual(['slots_not_reconciled', 'slots_repaired']);
    expect(await used()).toBe(0);
  });

  it('is done by one process at a time, and continued after one that died', async () => {
    const reconcileProgress = inMemoryRunProgress();
    let now = RECORDS_NOW.getTime();
    const clock = { now: () => new Date(now) };
    const list = customers(ids);
    const dying = {
      list: (page: Parameters<typeof list.list>[0]) =>
        page.cursor === '20' ? new Promise<never>(() => {}) : list.list(page),
    };
    void reconcileSlots({ ...deps(), clock, customers: dying, reconcileProgress }, log);
    await expect.poll(async () => (await reconcileProgress.get())?.value.cursor).toBe('20');
    const other = { ...deps(), clock, customers: list, reconcileProgress };
    expect(await reconcileSlots(other, log)).toBeUndefined();
    now += 11 * 60_000 + 1;
    expect(await reconcileSlots(other, log)).toMatchObject({ customers: 30, isComplete: true });
    expect(await reconcileSlots(other, log)).toMatchObject({ customers: 50, isComplete: true });
  });

  it('ends after some minutes, and the next run continues where it stopped', async () => {
    const reconcileProgress = inMemoryRunProgress();
    let now = RECORDS_NOW.getTime();
    const list = customers(ids);
    const slow = {
      list: (page: Parameters<typeof list.list>[0]) => {
        now += 200_000;
        return list.list(page);
      },
    };
    const all = { ...deps(), clock: { now: () => new Date(now) }, customers: slow, reconcileProgress };
    expect(await reconcileSlots(all, log)).toMatchObject({ customers: 40, isComplete: false });
    expect(await reconcileSlots(all, log)).toMatchObject({ customers: 10, isComplete: true });
  });
});
