import { expect, it } from 'vitest';
import { noFaults } from '../../../support/import-world/faults.ts';
import { createWorld, type World } from '../../../support/import-world/world.ts';

const HOUR = 3_600;
const DAY = 24 * HOUR;
const addresses = (count: number, name = 'user') =>
  Array.from({ length: count }, (_, i) => `${name}${i}@contoso.example`);

const connectionOf = async (world: World) => {
  const found = await world.connections.get('cust_1', 'conn_1');
  if (!found) throw new Error('there is no connection');
  return found;
};
const actionsOf = async (world: World) =>
  (await world.imports.list('cust_1', 'conn_1', { limit: 1_000 }, 'actions')).items;
const hasOpen = async (world: World) => (await world.imports.listOpen()).length > 0;
const isPaused = async (world: World) => (await actionsOf(world)).some(({ status }) => status === 'paused');
const statusesOf = async (world: World, all: readonly string[]) => {
  const found = await world.ledger.getMailboxes('conn_1', all);
  return new Set([...found.values()].map(({ value }) => `${value.status} ${value.openRow ?? ''}`.trim()));
};

/** As after a test that passes, which asks one mailbox that still works. */
async function passTest(world: World): Promise<void> {
  const { value, tag } = await connectionOf(world);
  const { finding: _over, ...rest } = value;
  await world.connections.update({ ...rest, status: 'ready' }, tag);
}

it('a tenant that has lost a right has one finding each day, and no mailbox fails or gives its slot back', async () => {
  const all = addresses(400);
  const now: { verdict: 'passed' | 'failed' } = { verdict: 'passed' };
  const world = await createWorld(3, noFaults, { verdictOf: () => now.verdict });
  const { id } = await world.startImport(all);
  await world.until(() => world.ended.includes(id), DAY);
  now.verdict = 'failed';
  await world.idle(8 * DAY);
  for (let day = 1; day <= 3; day++) {
    await world.reverify();
    await world.until(() => isPaused(world), HOUR);
    await world.reverify();
    await world.until(async () => !(await hasOpen(world)), HOUR);
    const actions = await actionsOf(world);
    expect(actions.map(({ status }) => status)).toEqual(Array(day).fill('cancelled'));
    expect(actions.every(({ counts }) => counts?.failed === 0)).toBe(true);
    expect((await connectionOf(world)).value.finding?.cause).toBe('permission_missing');
    expect(await statusesOf(world, all)).toEqual(new Set(['active']));
    expect(await world.slotsUsed()).toBe(all.length);
    await world.idle(DAY);
    await passTest(world);
  }

  now.verdict = 'passed';
  await world.reverify();
  await world.until(async () => !(await hasOpen(world)), HOUR);
  expect((await actionsOf(world)).find(({ status }) => status === 'completed')?.counts).toMatchObject({
    rows: all.length,
    passed: all.length,
  });
}, 60_000);

it('a right that the tenant has lost is found by few mailboxes as well, and none of them fails', async () => {
  const all = addresses(400);
  const now: { verdict: 'passed' | 'failed' } = { verdict: 'passed' };
  const world = await createWorld(1, noFaults, { verdictOf: () => now.verdict });
  const { id } = await world.startImport(all);
  await world.until(() => world.ended.includes(id), DAY);
  // The week is over for few of them at a time.
  for (let hour = 0; (await actionsOf(world)).length === 0; hour++) {
    if (hour > 8 * 24) throw new Error('no mailbox became due');
    await world.idle(HOUR);
    now.verdict = 'failed';
    await world.reverify();
  }
  await world.until(async () => (await isPaused(world)) || !(await hasOpen(world)), HOUR);
  expect((await connectionOf(world)).value.finding?.cause).toBe('permission_missing');
  await world.reverify();
  await world.until(async () => !(await hasOpen(world)), HOUR);
  const [action] = await actionsOf(world);
  expect(action?.counts?.rows).toBeLessThan(20);
  expect(action).toMatchObject({ status: 'cancelled', counts: { failed: 0 } });
  expect(await statusesOf(world, all)).toEqual(new Set(['active']));
  expect(await world.slotsUsed()).toBe(all.length);
}, 60_000);

it('a re-verification that pauses gives back what it took for failed mailboxes, as soon as the timer runs again', async () => {
  const [good, bad] = [addresses(100), addresses(300, 'bad')];
  const isRefused = { all: false };
  const world = await createWorld(1, noFaults, {
    slotsMax: 400,
    verdictOf: (address) => (isRefused.all || address.startsWith('bad') ? 'failed' : 'passed'),
  });
  const { id } = await world.startImport([...good, ...bad]);
  await world.until(() => world.ended.includes(id), DAY);
  const before = await world.slotsUsed();
  isRefused.all = true;
  await world.idle(8 * DAY);
  await world.reverify();
  await world.until(() => isPaused(world), HOUR);
  expect(await world.slotsUsed()).toBe(150);
  await world.reverify();
  await world.until(async () => !(await hasOpen(world)), HOUR);
  expect(before).toBe(100);
  expect(await world.slotsUsed()).toBe(100);
  expect(await statusesOf(world, good)).toEqual(new Set(['active']));
  expect(await statusesOf(world, bad)).toEqual(new Set(['failed']));
}, 60_000);

it('leaves slots for an import, also if a person pauses it', async () => {
  const [good, bad] = [addresses(10), addresses(300, 'bad')];
  const world = await createWorld(1, noFaults, {
    slotsMax: 310,
    microsoft: { latencyMs: 3_000 },
    verdictOf: (address) => (address.startsWith('bad') ? 'failed' : 'passed'),
    failsAs: 'mailbox_not_found',
  });
  const { id } = await world.startImport([...good, ...bad]);
  await world.until(() => world.ended.includes(id), HOUR);
  await world.idle(2 * DAY);
  await world.reverify();
  await world.until(async () => (await world.slotsUsed()) !== good.length, HOUR);
  expect(await world.slotsUsed()).toBe(good.length + 50);
  const [open] = await world.imports.listOpen();
  await world.pause(open?.importId ?? '');
  const next = await world.startImport(addresses(250, 'new'));
  await world.until(() => world.ended.includes(next.id), HOUR);
  expect((await world.imports.get('cust_1', next.id))?.value).toMatchObject({
    status: 'completed',
    counts: { rows: 250, passed: 250 },
  });
}, 60_000);
