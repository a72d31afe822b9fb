import { expect, it } from 'vitest';
import { rowStates } from '../../../../shared/imports/ledger/row.ts';
import { noFaults } from '../../../support/import-world/faults.ts';
import { createWorld, type World } from '../../../support/import-world/world.ts';

const HOUR = 3_600;
const addresses = (count: number) => Array.from({ length: count }, (_, i) => `user${i}@contoso.example`);

async function worldOf(all: readonly string[], verdictOf: (address: string) => 'passed' | 'failed' = () => 'passed') {
  const now = { verdictOf };
  const world = await createWorld(7, noFaults, {
    verdictOf: (address) => now.verdictOf(address),
    failsAs: 'mailbox_not_found',
  });
  const { id } = await world.startImport(all);
  await world.until(() => world.ended.includes(id), 24 * HOUR);
  return { world, now };
}

const hasOpen = async (world: World) => (await world.imports.listOpen()).length > 0;
const actionsOf = async (world: World) =>
  (await world.imports.list('cust_1', 'conn_1', { limit: 1_000 }, 'actions')).items;
const rowsOf = async (world: World, importId: string) =>
  (await world.ledger.findRows('conn_1', importId, { fromLine: 0, states: rowStates, limit: 2_000 })).map(
    ({ value }) => value,
  );

/** Runs the timer once an hour. */
async function pass(world: World, hours: number): Promise<void> {
  for (let hour = 0; hour < hours; hour++) {
    await world.idle(HOUR);
    await world.reverify();
    if (await hasOpen(world)) await world.until(async () => !(await hasOpen(world)), 2 * HOUR);
  }
}

it('finds every mailbox that has changed within a week, tells each change once, and finds within a day that it works again', async () => {
  const all = addresses(400);
  const broken = new Set(all.filter((_, i) => i % 20 === 3));
  const { world, now } = await worldOf(all);
  const statuses = async () => {
    const mailboxes = await Promise.all(all.map((address) => world.ledger.getMailbox('conn_1', address)));
    return new Map(mailboxes.map((found) => [found?.value.address ?? '', found?.value.status]));
  };
  const changes = async () => {
    const rows = (await Promise.all((await actionsOf(world)).map(({ id }) => rowsOf(world, id)))).flat();
    return rows.filter(({ state, statusBefore }) => (state === 'passed') !== (statusBefore === 'active'));
  };

  now.verdictOf = (address) => (broken.has(address) ? 'failed' : 'passed');
  await pass(world, 7 * 24 + 2);
  const found = await statuses();
  for (const address of all) expect(found.get(address)).toBe(broken.has(address) ? 'failed' : 'active');
  expect((await changes()).map(({ address }) => address).sort()).toEqual([...broken].sort());
  expect(await world.slotsUsed()).toBe(all.length - broken.size);
  // Each mailbox was asked once for its import and once or twice in the week, and the broken ones daily.
  for (const address of all) if (!broken.has(address)) expect(world.asked.get(address)).toBeLessThanOrEqual(3);

  now.verdictOf = () => 'passed';
  await pass(world, 26);
  expect(new Set((await statuses()).values())).toEqual(new Set(['active']));
  const all2 = await changes();
  expect(
    all2
      .filter(({ state }) => state === 'passed')
      .map(({ address }) => address)
      .sort(),
  ).toEqual([...broken].sort());
  expect(all2).toHaveLength(2 * broken.size);
  expect(await world.slotsUsed()).toBe(all.length);
  expect([...world.drafts.values()].reduce((sum, count) => sum + count, 0)).toBe(0);
}, 60_000);

it('is started once, by however many processes, and not again before it has ended', async () => {
  const { world } = await worldOf(addresses(60));
  await world.idle(7 * 24 * HOUR);
  await world.reverify(20);
  await world.reverify(20);
  const [action, ...others] = await actionsOf(world);
  expect(others).toEqual([]);
  await world.until(async () => !(await hasOpen(world)), HOUR);
  expect((await world.imports.get('cust_1', action?.id ?? ''))?.value).toMatchObject({
    status: 'completed',
    isReverification: true,
    counts: { rows: 60, passed: 60 },
  });
});

it('waits while an import runs in the tenant, and while the connection is not ready', async () => {
  const { world } = await worldOf(addresses(20));
  await world.idle(7 * 24 * HOUR);
  const { id } = await world.startImport(['new@contoso.example']);
  await world.reverify();
  expect(await actionsOf(world)).toEqual([]);
  await world.until(async () => world.ended.includes(id) && !(await hasOpen(world)), HOUR);
  const found = await world.connections.get('cust_1', 'conn_1');
  if (!found) throw new Error('there is no connection');
  const tag = await world.connections.update({ ...found.value, status: 'failing' }, found.tag);
  await world.reverify();
  expect(await actionsOf(world)).toEqual([]);
  await world.connections.update(found.value, tag ?? '');
  await world.reverify();
  expect(await actionsOf(world)).toHaveLength(1);
});

it('checks failed mailboxes in turn while a slot is free, and all that have one', async () => {
  const all = addresses(10);
  const failed = new Set(all.slice(0, 4));
  const { world, now } = await worldOf(all, (address) => (failed.has(address) ? 'failed' : 'passed'));
  await world.slots.setLimit('cust_1', 8);
  now.verdictOf = () => 'passed';
  await world.idle(7 * 24 * HOUR);
  await pass(world, 1);
  expect((await actionsOf(world))[0]?.counts).toMatchObject({ rows: 7, passed: 7 });
  await pass(world, 2);
  expect((await actionsOf(world)).map(({ counts }) => counts?.passed)).toEqual([7, 1]);
  expect(await world.slotsUsed()).toBe(8);
});
