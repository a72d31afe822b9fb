import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countRows } from '../../../shared/imports/counts.ts';
import { isSettled } from '../../../shared/imports/ledger/row.ts';
import { countSettled, sumTallies } from '../../../shared/imports/ledger/tally.ts';
import { createWorld, type Faults, type World } from '../../support/import-world.ts';

const calm: Faults = { lost: 0, twice: 0, kills: 0, throttled: 0, defects: 0, grantsAfter: 0 };
const addresses = (count: number, prefix = 'user') =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}@contoso.example`);

/** Everything an import promises at its end, whatever happened on the way. */
async function expectExact(world: World, importId: string, allowDefects = false): Promise<void> {
  const record = (await world.imports.get('cust_1', importId))?.value;
  const plan = (await world.ledger.getPlan('conn_1', importId))?.value;
  const counts = sumTallies(await world.ledger.listTallies('conn_1', importId));
  const rows = (await world.ledger.findRows('conn_1', importId, { fromLine: 0, limit: 10_000 })).map(
    ({ value }) => value,
  );
  expect(record?.status).toBe('completed');
  const accepted = rows.filter((row) => row.state !== 'rejected' && row.state !== 'duplicate');
  expect(accepted.filter((row) => !isSettled(row.state))).toEqual([]);
  expect(plan?.accepted).toBe(accepted.length);
  expect(countSettled(counts)).toBe(accepted.length);
  expect(counts.waiting).toBe(0);
  expect(record?.counts, 'the counts in the record').toEqual(countRows(plan, counts));
  expect(record?.counts).toMatchObject({ rows: rows.length, pending: 0 });
  for (const state of ['passed', 'failed', 'inconclusive', 'cancelled'] as const) {
    expect(counts[state], state).toBe(accepted.filter((row) => row.state === state).length);
  }
  for (const row of accepted) {
    const isDefect = allowDefects && row.cause === 'internal_error';
    if (!isDefect) expect(row.state, row.address).toBe(world.verdictOf(row.address));
    const mailbox = (await world.ledger.getMailbox('conn_1', row.address))?.value;
    expect(mailbox?.openRow).toBeUndefined();
    expect(mailbox?.status).toBe(row.state === 'passed' ? 'active' : row.state);
  }
}

it('checks every row once and ends the import', async () => {
  const world = createWorld(1, calm);
  const { id } = await world.startImport(['', ...addresses(60), 'user3@contoso.example']);
  await world.run();
  await expectExact(world, id);
  const plan = (await world.ledger.getPlan('conn_1', id))?.value;
  expect(plan).toMatchObject({ rows: 62, accepted: 60, rejected: 1, duplicates: 1, slotsNeeded: 60, done: true });
  expect(world.slotsUsed()).toBe(60);
  expect(world.ended).toEqual([id]);
});

it('keeps at most a window of checks on the queue', async () => {
  const world = createWorld(2, calm, { window: 8 });
  const { id } = await world.startImport(addresses(50));
  await world.run();
  await expectExact(world, id);
  expect(world.mostWaiting()).toBeLessThanOrEqual(8);
});

it('ends as failed, with nothing counted and no slot kept, when the plan has too few slots', async () => {
  const world = createWorld(3, calm, { slots: 10 });
  const { id } = await world.startImport(addresses(20));
  await world.run();
  const record = (await world.imports.get('cust_1', id))?.value;
  expect(record).toMatchObject({ status: 'failed', finding: { code: 'slot_limit_reached' } });
  expect(sumTallies(await world.ledger.listTallies('conn_1', id))).toMatchObject({
    cancelled: 20,
    passed: 0,
    failed: 0,
  });
  expect(world.slotsUsed()).toBe(0);
});

it('counts exactly, loses nothing and leaves no draft under kills, redelivery, lost answers and throttling', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.record({
        lost: fc.constantFrom(0, 0.03, 0.1),
        twice: fc.constantFrom(0, 0.2, 1),
        kills: fc.integer({ min: 0, max: 3 }),
        throttled: fc.constantFrom(0, 0.1, 0.3),
        defects: fc.constantFrom(0, 0.1),
        grantsAfter: fc.constantFrom(0, 0, 20, 50),
      }),
      async (seed, faults) => {
        const world = createWorld(seed, faults);
        const first = await world.startImport(addresses(40));
        const second = await world.startImport([...addresses(15, 'other'), 'user1@contoso.example']);
        await world.run();
        await expectExact(world, first.id, faults.defects > 0);
        await expectExact(world, second.id, faults.defects > 0);
        expect([...world.drafts.entries()]).toEqual([]);
        expect(new Set(world.ended)).toEqual(new Set([first.id, second.id]));
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 6) },
  );
}, 120_000);
