import { describe, expect, it } from 'vitest';
import { changeImport } from '../../../../shared/imports/import-store.ts';
import type { Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import { failPlan, planImport } from '../../../../shared/imports/planning/plan-import.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { countedLedger, createPlanningWorld } from '../../../support/planning-world.ts';
import { aMailbox, anImport, aPlan, RECORDS_NOW } from '../../../support/records.ts';

const users = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `user${from + i}@contoso.example`);

const rowsOf = async (ledger: Ledger, importId: string) =>
  (await ledger.findRows('conn_1', importId, { fromLine: 0, limit: 100_000 })).map(({ value }) => value);
const planOf = async (ledger: Ledger, importId: string) => (await ledger.getPlan('conn_1', importId))?.value;

describe('plans', () => {
  it('new mailboxes with one transaction for 49 rows, and reads none of the connection', async () => {
    const { ledger, calls } = countedLedger(inMemoryLedger());
    const world = await createPlanningWorld({ ledger });
    await world.addImport('imp_1', users(1_000));
    await planImport(world.deps, 'cust_1', 'imp_1');
    expect(await planOf(ledger, 'imp_1')).toMatchObject({ accepted: 1_000, slotsNeeded: 1_000, done: true });
    // 21 for the rows, one for the plan.
    expect(calls).toEqual({ commit: 22, refused: 0, getMailbox: 0, getMailboxes: 0, eachMailbox: 0 });
  });

  it('findings: counts them by code, names the first line of a duplicate, and keeps a suggestion', async () => {
    const world = await createPlanningWorld();
    await world.addImport('imp_1', ['a@c.com', '', 'b@c.con', ...users(200), 'a@c.com', 'b@c.con', '']);
    await planImport(world.deps, 'cust_1', 'imp_1');
    const { ledger } = world.deps;
    const findingCounts = { address_missing: 2, domain_misspelled: 1, duplicate_in_file: 2 };
    expect(await planOf(ledger, 'imp_1')).toMatchObject({ rows: 206, rejected: 2, duplicates: 2, findingCounts });
    const rows = await rowsOf(ledger, 'imp_1');
    expect(rows[2]).toMatchObject({ line: 4, state: 'pending', suggestion: 'b@c.com' });
    expect(rows[2]).not.toHaveProperty('code');
    expect(rows.slice(-3)).toMatchObject([
      { line: 205, state: 'duplicate', firstLine: 2, message: expect.stringContaining('line 2') },
      { line: 206, state: 'duplicate', firstLine: 4 },
      { line: 207, state: 'rejected', code: 'address_missing' },
    ]);
  });

  it('a second line of an address as a duplicate, also if its mailbox was disconnected in between', async () => {
    const world = await createPlanningWorld({ planShiftMs: 0 });
    const { ledger } = world.deps;
    await world.addImport('imp_1', [...users(60), 'user0@contoso.example']);
    await planImport(world.deps, 'cust_1', 'imp_1');
    expect(await planOf(ledger, 'imp_1')).toMatchObject({ done: false });
    await world.deps.imports.insert(
      anImport({ id: 'act_1', status: 'accepted', action: 'disconnect', target: { address: 'user0@contoso.example' } }),
    );
    await planImport(world.deps, 'cust_1', 'act_1');
    for (let shifts = 0; shifts < 3; shifts++) await planImport(world.deps, 'cust_1', 'imp_1');
    expect(await planOf(ledger, 'imp_1')).toMatchObject({ accepted: 60, duplicates: 1, slotsNeeded: 60, done: true });
    expect((await rowsOf(ledger, 'imp_1')).at(-1)).toMatchObject({ code: 'duplicate_in_file', firstLine: 2 });
    const mailbox = (await ledger.getMailbox('conn_1', 'user0@contoso.example'))?.value;
    expect(mailbox).toMatchObject({ status: 'disconnected' });
    expect(mailbox?.slotClaimedBy).toBeUndefined();
  });

  it('a file that was sent before with no more transactions than the first time', async () => {
    const { ledger, calls } = countedLedger(inMemoryLedger());
    const world = await createPlanningWorld({ ledger });
    await world.addImport('imp_1', users(501));
    await planImport(world.deps, 'cust_1', 'imp_1');
    expect(calls.commit).toBe(1 + 11);
    Object.assign(calls, { commit: 0, refused: 0 });
    await world.addImport('imp_2', users(501));
    await planImport(world.deps, 'cust_1', 'imp_2');
    expect(await planOf(ledger, 'imp_2')).toMatchObject({ rows: 501, accepted: 0, duplicates: 501, slotsNeeded: 0 });
    expect((await rowsOf(ledger, 'imp_2')).every(({ code }) => code === 'duplicate_in_connection')).toBe(true);
    // One for the plan, two that meet conflicts, six for the rows.
    expect(calls.commit).toBe(9);
    expect(calls.getMailboxes).toBe(3);
    expect(calls).toMatchObject({ refused: 2, getMailbox: 0, eachMailbox: 0 });
  });

  it('the same file twice at the same time: each address is accepted once, and conflicts are resolved together', async () => {
    const { ledger, calls } = countedLedger(inMemoryLedger());
    const world = await createPlanningWorld({ ledger });
    await world.addImport('imp_1', users(501));
    await world.addImport('imp_2', users(501));
    await Promise.all(['imp_1', 'imp_2'].map((id) => planImport(world.deps, 'cust_1', id)));
    const plans = [await planOf(ledger, 'imp_1'), await planOf(ledger, 'imp_2')];
    expect(plans.map((plan) => plan?.done)).toEqual([true, true]);
    expect((plans[0]?.accepted ?? 0) + (plans[1]?.accepted ?? 0)).toBe(501);
    expect((await world.slots.get('cust_1'))?.used).toBe(501);
    // Two for the plans, and 11 for the rows of each, if there were no conflicts.
    expect(calls.commit).toBeLessThanOrEqual(2 + 2 * 11 + 11);
  });

  it('inconclusive mailboxes again, together, and they keep their slots', async () => {
    const { ledger, calls } = countedLedger(inMemoryLedger());
    for (const address of users(90)) {
      const mailbox = aMailbox({ address, status: 'inconclusive', importId: 'imp_0', slotClaimedBy: 'imp_0' });
      await ledger.commit('conn_1', [{ op: 'createMailbox', mailbox }]);
    }
    Object.assign(calls, { commit: 0 });
    const world = await createPlanningWorld({ ledger });
    await world.addImport('imp_1', users(98));
    await planImport(world.deps, 'cust_1', 'imp_1');
    expect(await planOf(ledger, 'imp_1')).toMatchObject({ accepted: 98, duplicates: 0, slotsNeeded: 8 });
    expect(calls.commit).toBe(1 + 2 + 2);
    expect((await ledger.getMailbox('conn_1', 'user0@contoso.example'))?.value).toMatchObject({
      status: 'pending',
      slotClaimedBy: 'imp_0',
      openRow: 'imp_1:2',
    });
  });

  it('mailboxes that failed before again, and claims a slot for each', async () => {
    const ledger = inMemoryLedger();
    for (const address of users(5)) {
      await ledger.commit('conn_1', [
        { op: 'createMailbox', mailbox: aMailbox({ address, importId: 'imp_0', status: 'failed' }) },
      ]);
    }
    const world = await createPlanningWorld({ ledger });
    await world.addImport('imp_1', users(5));
    await planImport(world.deps, 'cust_1', 'imp_1');
    expect(await planOf(ledger, 'imp_1')).toMatchObject({ accepted: 5, slotsNeeded: 5 });
    expect((await world.slots.get('cust_1'))?.used).toBe(5);
    expect((await ledger.getMailbox('conn_1', 'user0@contoso.example'))?.value.slotClaimedBy).toBe('imp_1');
  });

  it('mailboxes that failed before, for one of two imports only that have them at the same time', async () => {
    const ledger = inMemoryLedger();
    for (const address of users(20)) {
      const mailbox = aMailbox({ address, importId: 'imp_0', status: 'failed' });
      await ledger.commit('conn_1', [{ op: 'createMailbox', mailbox }]);
    }
    const world = await createPlanningWorld({ ledger });
    const ids = ['imp_1', 'imp_2'];
    for (const id of ids) await world.addImport(id, users(20));
    await Promise.all(ids.map((id) => planImport(world.deps, 'cust_1', id)));
    const plans = await Promise.all(ids.map((id) => planOf(ledger, id)));
    expect(plans.map((plan) => plan?.accepted).sort()).toEqual([0, 20]);
  });

  it('a repeated address as a duplicate of its first line, in the same transaction and in a later one', async () => {
    const world = await createPlanningWorld();
    await world.addImport('imp_1', ['a@x.example', '', 'a@x.example', ...users(5_000), 'user3@contoso.example']);
    await planImport(world.deps, 'cust_1', 'imp_1');
    const rows = await rowsOf(world.deps.ledger, 'imp_1');
    expect(rows[1]).toMatchObject({ line: 3, state: 'rejected', code: 'address_missing' });
    expect(rows[2]).toMatchObject({ line: 4, code: 'duplicate_in_file', message: expect.stringContaining('line 2.') });
    expect(rows.at(-1)).toMatchObject({ code: 'duplicate_in_file', message: expect.stringContaining('line 8.') });
    expect(await planOf(world.deps.ledger, 'imp_1')).toMatchObject({ accepted: 5_001, duplicates: 2, rejected: 1 });
  });

  it('a file of one address many times without a conflict for each row', async () => {
    const { ledger, calls } = countedLedger(inMemoryLedger());
    const world = await createPlanningWorld({ ledger });
    await world.addImport(
      'imp_1',
      Array.from({ length: 5_000 }, () => 'a@x.example'),
    );
    await planImport(world.deps, 'cust_1', 'imp_1');
    expect(await planOf(ledger, 'imp_1')).toMatchObject({ accepted: 1, duplicates: 4_999 });
    expect(calls).toMatchObject({ refused: 0 });
    expect(calls.commit).toBeLessThanOrEqual(2 + Math.ceil(5_000 / 98));
  });

  it('an upload without rows', async () => {
    const world = await createPlanningWorld();
    await world.addImport('imp_1', []);
    await planImport(world.deps, 'cust_1', 'imp_1');
    expect(await planOf(world.deps.ledger, 'imp_1')).toMatchObject({ rows: 0, done: true });
  });
});

describe('a shift', () => {
  it('hands over with a checkpoint; the next one reads neither the planned lines nor the connection again', async () => {
    const { ledger, calls } = countedLedger(inMemoryLedger());
    // Each transaction takes longer than a shift.
    const world = await createPlanningWorld({ ledger, planShiftMs: 0 });
    await world.addImport('imp_1', users(500));
    const readFrom: number[] = [];
    const deps = {
      ...world.deps,
      readUpload: (...args: Parameters<typeof world.deps.readUpload>) => {
        readFrom.push(args[1]);
        return world.deps.readUpload(...args);
      },
    };
    for (let shift = 1; shift <= 11; shift++) {
      await planImport(deps, 'cust_1', 'imp_1');
      expect(world.sent).toEqual({ plan: Math.min(shift, 10), dispatch: shift === 11 ? 1 : 0 });
    }
    expect(readFrom).toEqual(Array.from({ length: 11 }, (_, i) => (i === 0 ? 0 : 1 + 49 * i)));
    expect(await planOf(ledger, 'imp_1')).toMatchObject({ rows: 500, accepted: 500, done: true });
    expect(calls).toMatchObject({ commit: 12, getMailbox: 0, getMailboxes: 0, eachMailbox: 0 });
  });
});

describe('a poison plan message', () => {
  const world = async (status: 'accepted' | 'planning' | 'running', plannedAgoMs?: number) => {
    const created = await createPlanningWorld();
    const { imports, ledger } = created.deps;
    const record = await created.addImport('imp_1', users(3));
    const tagged = await imports.get('cust_1', record.id);
    await imports.update({ ...record, status }, tagged?.tag ?? '');
    if (plannedAgoMs !== undefined) await planned(ledger, new Date(RECORDS_NOW.getTime() + 3_600_000 - plannedAgoMs));
    created.time.now = new Date(RECORDS_NOW.getTime() + 3_600_000);
    await failPlan(created.deps, 'cust_1', record.id);
    return (await imports.get('cust_1', record.id))?.value;
  };
  const planned = (ledger: Ledger, movedAt: Date) =>
    ledger.commit('conn_1', [{ op: 'createPlan', plan: aPlan({ movedAt }) }]);

  it('fails an import whose planning has stopped', async () => {
    expect(await world('planning', 90_001)).toMatchObject({ endsAs: 'failed', finding: { code: 'internal_error' } });
    expect(await world('accepted')).toMatchObject({ status: 'cancelling', endsAs: 'failed' });
  });
  it('leaves an import alone that another message still plans', async () => {
    expect(await world('planning', 5_000)).toMatchObject({ status: 'planning' });
  });
  it('leaves an import alone that is running', async () => {
    expect(await world('running', 3_000_000)).toMatchObject({ status: 'running', epoch: 1 });
  });
});

describe('a planner that comes late', () => {
  it.each(['limit', 'released'] as const)(
    'whose claim meets %s leaves an import alone that is running',
    async (answer) => {
      const world = await createPlanningWorld();
      const { imports } = world.deps;
      await world.addImport('imp_1', users(3));
      /** Another planner starts the import in the meantime. */
      const claim = async () => {
        await changeImport(imports, 'cust_1', 'imp_1', (current) => ({ ...current, status: 'running' }));
        return answer;
      };
      await planImport({ ...world.deps, slots: { claim } }, 'cust_1', 'imp_1');
      expect((await imports.get('cust_1', 'imp_1'))?.value).toMatchObject({ status: 'running', epoch: 1 });
    },
  );

  it('leaves the rows to the planner that has written them', async () => {
    const world = await createPlanningWorld();
    await world.addImport('imp_1', users(200));
    await Promise.all([1, 2, 3].map(() => planImport(world.deps, 'cust_1', 'imp_1')));
    expect(await planOf(world.deps.ledger, 'imp_1')).toMatchObject({ rows: 200, accepted: 200, done: true });
    expect(world.sent.dispatch).toBe(1);
  });
});

it('gives up for now, as after a transient failure, if conflicts never end', async () => {
  const { ledger, calls } = countedLedger(inMemoryLedger());
  const world = await createPlanningWorld({ ledger });
  await world.addImport('imp_1', users(3));
  const commit: Ledger['commit'] = async (connectionId, changes) => {
    const index = changes.findIndex(({ op }) => op === 'createMailbox');
    return index === -1 ? ledger.commit(connectionId, changes) : { committed: false, index, why: 'exists' };
  };
  const planned = planImport({ ...world.deps, ledger: { ...ledger, commit } }, 'cust_1', 'imp_1');
  await expect(planned).rejects.toMatchObject({ code: 'storage_unavailable' });
  expect(calls.getMailboxes).toBeLessThan(100);
});
