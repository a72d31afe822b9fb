import fc from 'fast-check';
import { expect, it } from 'vitest';
import { removeMarked } from '../../../../shared/imports/actions/remove-marked.ts';
import { countRows } from '../../../../shared/imports/ledger/counts.ts';
import { isSettled } from '../../../../shared/imports/ledger/row.ts';
import { countSettled, sumTallies } from '../../../../shared/imports/ledger/tally.ts';
import { identityKeysOf, inboxKeyOf } from '../../../../shared/mailboxes/identity.ts';
import { statusOf } from '../../../../shared/mailboxes/mailbox.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { noFaults } from '../../../support/import-world/faults.ts';
import { createWorld, type World } from '../../../support/import-world/world.ts';
import { aMailbox, aRow } from '../../../support/records.ts';

const addresses = (count: number, prefix = 'user') =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}@contoso.example`);
const mailboxOf = async (world: World, address: string) => (await world.ledger.getMailbox('conn_1', address))?.value;
const rowsOf = async (world: World, id: string) =>
  (await world.ledger.findRows('conn_1', id, { fromLine: 0, limit: 1_000 })).map(({ value }) => value);
const recordOf = async (world: World, id: string) => (await world.imports.get('cust_1', id))?.value;
const slotsHeld = async (world: World) => {
  const mailboxes = await Array.fromAsync(world.ledger.eachMailbox('conn_1'));
  return mailboxes.filter(({ value }) => value.slotClaimedBy !== undefined).length;
};

async function renameIdentity(world: World, key: string, address: string): Promise<void> {
  const tag = (await world.ledger.getIdentities('conn_1', [key])).get(key)?.tag ?? '';
  const renamed = await world.ledger.commit('conn_1', [{ op: 'writeIdentity', identity: { key, address }, tag }]);
  expect(renamed.committed).toBe(true);
}

/** Expects every used slot to be accounted for at this moment, also while the imports and actions are running. */
async function expectSlotsAccounted(world: World): Promise<void> {
  let accounted = await slotsHeld(world);
  for (const { importId } of await world.imports.listOpen()) {
    const plan = (await world.ledger.getPlan('conn_1', importId))?.value;
    const { slotsFreed } = sumTallies(await world.ledger.listTallies('conn_1', importId));
    const claim = await world.slots.getClaim('cust_1', importId);
    accounted += claim ? slotsFreed - claim.freed : slotsFreed - (plan?.slotsNeeded ?? 0);
  }
  expect(await world.slotsUsed()).toBe(accounted);
}

/** Expects an import or action to have ended with counts that are those of its rows. */
async function expectExact(world: World, id: string): Promise<void> {
  const record = await recordOf(world, id);
  const rows = await rowsOf(world, id);
  const accepted = rows.filter(({ state }) => state !== 'rejected' && state !== 'duplicate');
  const counts = sumTallies(await world.ledger.listTallies('conn_1', id));
  const plan = (await world.ledger.getPlan('conn_1', id))?.value;
  expect(['completed', 'cancelled']).toContain(record?.status);
  expect(accepted.filter(({ state }) => !isSettled(state))).toEqual([]);
  expect(countSettled(counts)).toBe(accepted.length);
  expect(counts.waiting).toBe(0);
  expect(counts.held).toBe(0);
  expect(record?.counts).toEqual(countRows(plan, counts));
  for (const state of ['passed', 'failed', 'inconclusive', 'cancelled'] as const) {
    expect(counts[state], `${id} ${state}`).toBe(accepted.filter((row) => row.state === state).length);
  }
}

const kinds = ['passed', 'passed', 'failed', 'inconclusive'] as const;
const verdictOf = (address: string) => kinds[Number(/\d+/.exec(address)?.[0]) % kinds.length] ?? 'passed';

it('disconnects mailboxes of a running import: their rows are cancelled, their slots free, and nobody asks about them later', async () => {
  const microsoft = { latencyMs: 1_000, limit: 60 };
  const world = await createWorld(1, noFaults, { microsoft, verdictOf: () => 'passed' });
  world.always(() => expectSlotsAccounted(world));
  const all = addresses(400);
  const gone = all.filter((_, i) => i % 2 === 1);
  const { id } = await world.startImport(all);
  await world.until(() => world.asked.size > 30, 600);
  const action = await world.startAction('disconnect', gone);
  await world.until(() => world.ended.includes(action.id), 600);
  // What a process has cached of an import is five seconds old at most.
  const soon = world.seconds() + 8;
  await world.until(() => world.seconds() > soon, 60);
  const asked = new Set(world.asked.keys());
  await world.run();

  expect(gone.filter((address) => world.asked.has(address) && !asked.has(address))).toEqual([]);
  expect(gone.filter((address) => asked.has(address)).length).toBeLessThan(gone.length);
  await expectExact(world, id);
  await expectExact(world, action.id);
  const statuses = await Promise.all(all.map(async (address) => (await mailboxOf(world, address))?.status));
  expect(new Set(statuses.filter((_, i) => i % 2 === 1))).toEqual(new Set(['disconnected']));
  expect(new Set(statuses.filter((_, i) => i % 2 === 0))).toEqual(new Set(['active']));
  expect(await world.slotsUsed()).toBe(200);
  expect((await recordOf(world, action.id))?.counts).toMatchObject({ rows: 200, accepted: 200, passed: 200 });
});

it('removes mailboxes without a trace in the ledger, and an import takes them as new ones', async () => {
  const world = await createWorld(2, noFaults, { verdictOf: () => 'passed' });
  const { id } = await world.startImport(addresses(60));
  await world.until(() => world.ended.includes(id), 600);
  const mailboxes = (await Array.fromAsync(world.ledger.eachMailbox('conn_1'))).map(({ value }) => value);
  const keys = mailboxes.flatMap(({ identity = {} }) => identityKeysOf(identity));
  expect(await world.ledger.getIdentities('conn_1', keys)).toHaveProperty('size', 60);
  // The mailbox of this address is known under another name today.
  const [moved] = identityKeysOf((await mailboxOf(world, 'user7@contoso.example'))?.identity ?? {});
  await renameIdentity(world, moved ?? '', 'user59@contoso.example');
  const action = await world.startAction('remove', addresses(50));
  await world.until(() => world.ended.includes(action.id), 600);
  expect(await Array.fromAsync(world.ledger.eachMailbox('conn_1'))).toHaveLength(10);
  const left = [...(await world.ledger.getIdentities('conn_1', keys)).values()].map(({ value }) => value.address);
  expect(left.sort()).toEqual([...addresses(60).slice(50), 'user59@contoso.example'].sort());
  expect(await world.slotsUsed()).toBe(10);
  const again = await world.startImport(addresses(60));
  await world.run();
  expect((await recordOf(world, again.id))?.counts).toMatchObject({ accepted: 50, duplicates: 10, passed: 50 });
  expect(await world.slotsUsed()).toBe(60);
});

it('keeps the identity of a mailbox that is imported again while it is being removed', async () => {
  const ledger = inMemoryLedger();
  const address = 'jane@contoso.example';
  const identity = { key: 'object:jane', address };
  const row = aRow({ line: 1, state: 'passed', address });
  await ledger.commit('conn_1', [
    { op: 'createRow', row },
    { op: 'createMailbox', mailbox: aMailbox({ address, removedBy: row.importId, identity: { objectId: 'jane' } }) },
    { op: 'writeIdentity', identity },
  ]);
  const tag = (await ledger.getIdentities('conn_1', [identity.key])).get(identity.key)?.tag ?? '';
  const { getIdentities } = ledger;
  ledger.getIdentities = async (...args) => {
    ledger.getIdentities = getIdentities;
    await ledger.commit('conn_1', [
      { op: 'mergeMailbox', address, patch: { removedBy: null, slotClaimedBy: 'imp_2' } },
      { op: 'writeIdentity', identity, tag },
    ]);
    return getIdentities(...args);
  };
  await removeMarked({ ledger }, { id: row.importId, connectionId: 'conn_1' }, 1);
  expect((await ledger.getMailbox('conn_1', address))?.value).toMatchObject({ slotClaimedBy: 'imp_2' });
  expect((await ledger.getIdentities('conn_1', [identity.key])).get(identity.key)?.value).toEqual(identity);
});

it('removes the identities of a mailbox first, so that a retry finds them by its record', async () => {
  const ledger = inMemoryLedger();
  const address = 'jane@contoso.example';
  const row = aRow({ line: 1, state: 'passed', address });
  const identity = { objectId: 'jane', inboxKey: 'inbox' };
  await ledger.commit('conn_1', [
    { op: 'createRow', row },
    { op: 'createMailbox', mailbox: aMailbox({ address, removedBy: row.importId, identity }) },
    ...identityKeysOf(identity).map((key) => ({ op: 'writeIdentity', identity: { key, address } }) as const),
  ]);
  const { removeIdentity } = ledger;
  ledger.removeIdentity = async () => {
    ledger.removeIdentity = removeIdentity;
    throw new Error('the process died');
  };
  const remove = () => removeMarked({ ledger }, { id: row.importId, connectionId: 'conn_1' }, 1);
  await expect(remove()).rejects.toThrow('the process died');
  expect(await ledger.getMailbox('conn_1', address)).toBeDefined();
  await remove();
  expect(await ledger.getMailbox('conn_1', address)).toBeUndefined();
  expect(await ledger.getIdentities('conn_1', identityKeysOf(identity))).toEqual(new Map());
});

it('gives the slots of a paused import back whose mailboxes are disconnected, also long after the pause', async () => {
  const world = await createWorld(3, noFaults, { microsoft: { latencyMs: 2_000 }, verdictOf: () => 'passed' });
  const { id } = await world.startImport(addresses(300));
  await world.until(() => world.asked.size > 60, 600);
  await world.pause(id);
  const later = world.seconds() + 3_600;
  await world.until(() => world.seconds() > later, 7_200);
  const before = (await world.slotsUsed()) ?? 0;
  expect(before).toBe(300);
  const action = await world.startAction('disconnect', addresses(300).slice(200));
  await world.until(() => world.ended.includes(action.id), 600);
  await world.until(async () => (await world.slotsUsed()) === 200, 120);
  await world.resume(id);
  await world.run();
  await expectExact(world, id);
  expect(await world.slotsUsed()).toBe(await slotsHeld(world));
});

it('pauses and resumes: a check that is under way goes on, and its verdict is shown afterwards', async () => {
  const world = await createWorld(4, noFaults, { microsoft: { latencyMs: 3_000 }, verdictOf });
  const all = addresses(40);
  const { id } = await world.startImport(all);
  await world.until(async () => (await mailboxOf(world, 'user0@contoso.example')) !== undefined, 60);
  const paused = await world.startAction('pause', all);
  await world.until(() => world.ended.includes(paused.id) && world.ended.includes(id), 600);
  const statuses = async () => {
    const mailboxes = await Promise.all(all.map((address) => mailboxOf(world, address)));
    return mailboxes.map((mailbox) => mailbox && statusOf(mailbox));
  };
  const verdicts = all.map((address) => verdictOf(address));
  expect(await statuses()).toEqual(verdicts.map((verdict) => (verdict === 'failed' ? 'failed' : 'paused')));
  expect(await world.slotsUsed()).toBe(verdicts.filter((verdict) => verdict !== 'failed').length);
  const resumed = await world.startAction('resume', all);
  await world.run();
  expect(await statuses()).toEqual(verdicts.map((verdict) => (verdict === 'passed' ? 'active' : verdict)));
  expect(await recordOf(world, resumed.id)).toMatchObject({ findingCounts: { not_in_use: 10 } });
});

it('keeps counts and slots exact, whatever actions, imports, kills and lost answers meet', async () => {
  const actions = ['pause', 'resume', 'disconnect', 'remove', 'check', 'reconnect'] as const;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.record({
        lostAnswers: fc.constantFrom(0, 0.03, 0.1),
        redelivered: fc.constantFrom(0, 0.2, 1),
        kills: fc.integer({ min: 0, max: 3 }),
        pauses: fc.integer({ min: 0, max: 2 }),
        cancels: fc.integer({ min: 0, max: 1 }),
        throttled: fc.constantFrom(0, 0.1, 0.3),
        lostMessages: fc.constantFrom(0, 0, 0.05),
      }),
      fc.array(
        fc.record({
          action: fc.constantFrom(...actions),
          from: fc.nat(40),
          count: fc.integer({ min: 1, max: 40 }),
          after: fc.nat(60),
        }),
        { minLength: 1, maxLength: 4 },
      ),
      async (seed, faults, wanted) => {
        const world = await createWorld(seed, { ...noFaults, ...faults }, { verdictOf, failsAs: 'mailbox_not_found' });
        world.always(() => expectSlotsAccounted(world));
        const all = addresses(40);
        const started = [(await world.startImport(all)).id];
        for (const { action, from, count, after } of wanted) {
          world.after(after, async () => {
            started.push(
              (await world.startAction(action, all.slice(from, from + count).concat('x@contoso.example'))).id,
            );
          });
        }
        world.after(30, async () => void started.push((await world.startImport(addresses(45))).id));
        await world.run();
        for (const id of started) await expectExact(world, id);
        expect(await world.slotsUsed()).toBe(await slotsHeld(world));
        for await (const { value } of world.ledger.eachMailbox('conn_1')) {
          expect(value.openRow).toBeUndefined();
          expect(value.removedBy).toBeUndefined();
          const holds = value.slotClaimedBy !== undefined;
          expect(holds, `${value.address} ${value.status}`).toBe(['active', 'inconclusive'].includes(value.status));
        }
        const keys = addresses(45).flatMap((address) => identityKeysOf({ inboxKey: inboxKeyOf(address) }));
        for (const { value } of (await world.ledger.getIdentities('conn_1', keys)).values()) {
          expect(await mailboxOf(world, value.address), `identity of ${value.address}`).toBeDefined();
        }
        expect([...world.drafts.values()].reduce((sum, left) => sum + left, 0)).toBe(0);
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 8) },
  );
});
