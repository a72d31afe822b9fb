import { expect, it } from 'vitest';
import { cancelImport } from '../../../../shared/imports/control/cancel-import.ts';
import { sumTallies } from '../../../../shared/imports/ledger/tally.ts';
import { planImport } from '../../../../shared/imports/planning/plan-import.ts';
import { createPlanningWorld } from '../../../support/planning-world.ts';
import { aMailbox, anImport } from '../../../support/records.ts';

const addresses = Array.from({ length: 60 }, (_, i) => `user${i}@contoso.example`);

async function worldOf(planShiftMs: number) {
  const world = await createPlanningWorld({ planShiftMs });
  await world.slots.claim('cust_1', 'imp_1', addresses.length);
  for (const address of addresses) {
    const mailbox = aMailbox({ address, status: 'active', slotClaimedBy: 'imp_1' });
    await world.deps.ledger.commit('conn_1', [{ op: 'createMailbox', mailbox }]);
  }
  return world;
}

it('has its claim before it gives the first slot back, so that a cancel in between loses none', async () => {
  const world = await worldOf(0);
  await world.addImport('act_1', addresses, { action: 'disconnect' });
  await planImport(world.deps, 'cust_1', 'act_1');
  const plan = (await world.deps.ledger.getPlan('conn_1', 'act_1'))?.value;
  expect(plan?.accepted).toBeGreaterThan(0);
  expect(plan?.done).toBe(false);
  expect(await world.slots.getClaim('cust_1', 'act_1')).toMatchObject({ count: 0, isReleased: false });
});

it('does nothing after a cancel has ended it', async () => {
  const world = await worldOf(240_000);
  await world.addImport('act_1', addresses, { action: 'remove' });
  await cancelImport(world.deps, 'cust_1', 'act_1', 'cancelled');
  await world.slots.trim('cust_1', 'act_1', 0);
  await planImport(world.deps, 'cust_1', 'act_1');
  expect(await Array.fromAsync(world.deps.ledger.eachMailbox('conn_1'))).toHaveLength(addresses.length);
});

it('continues where a planner died, and deletes what that one had only marked', async () => {
  const world = await worldOf(0);
  const { ledger } = world.deps;
  const { removeMailbox } = ledger;
  ledger.removeMailbox = async () => {
    throw new Error('the process dies here');
  };
  await world.addImport('act_1', addresses, { action: 'remove' });
  await expect(planImport(world.deps, 'cust_1', 'act_1')).rejects.toThrow('dies');
  expect(await Array.fromAsync(ledger.eachMailbox('conn_1'))).toHaveLength(addresses.length);
  const shown = await ledger.listMailboxes('conn_1', { limit: 100 });
  expect(shown.items.length).toBeLessThan(addresses.length);
  ledger.removeMailbox = removeMailbox;
  for (let shifts = 0; shifts < 10; shifts++) await planImport(world.deps, 'cust_1', 'act_1');
  expect(await Array.fromAsync(ledger.eachMailbox('conn_1'))).toEqual([]);
  const plan = (await ledger.getPlan('conn_1', 'act_1'))?.value;
  expect(plan).toMatchObject({ rows: 60, accepted: 60, done: true });
});

it('leaves a mailbox alone that has changed since its customer read it', async () => {
  const world = await worldOf(240_000);
  const [address = ''] = addresses;
  const target = { address, tag: 'an older one' };
  await world.deps.imports.insert(anImport({ id: 'act_1', status: 'accepted', action: 'disconnect', target }));
  await planImport(world.deps, 'cust_1', 'act_1');
  expect((await world.deps.ledger.getMailbox('conn_1', address))?.value.status).toBe('active');
  expect((await world.deps.ledger.getRow('conn_1', 'act_1', 1))?.value).toMatchObject({ code: 'changed' });
});

it.each(['pause', 'disconnect', 'remove'] as const)(
  'writes each mailbox into the log when it is done: %s',
  async (action) => {
    const world = await worldOf(240_000);
    await world.addImport('act_1', [...addresses, 'nobody@contoso.example'], { action });
    await planImport(world.deps, 'cust_1', 'act_1');
    const { batches, tallies = [] } = await world.deps.ledger.readSettled('conn_1', 'act_1', new Date(0));
    const told = batches.flatMap(({ mailboxes }) => mailboxes);
    expect(told.map(({ address }) => address).toSorted()).toEqual(addresses.toSorted());
    expect(told.every(({ state }) => state === 'passed')).toBe(true);
    expect(sumTallies(tallies)).toMatchObject({ passed: addresses.length });
    // These mailboxes have no new verdict that anybody should count.
    expect(world.checked).toEqual([]);
  },
);
