import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countRows } from '../../../shared/imports/ledger/counts.ts';
import { isSettled, type Row, settledStates } from '../../../shared/imports/ledger/row.ts';
import { countSettled, sumTallies } from '../../../shared/imports/ledger/tally.ts';
import { noFaults } from '../../support/import-world/faults.ts';
import { createWorld, type World } from '../../support/import-world/world.ts';

const addresses = (count: number, prefix = 'user') =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}@contoso.example`);

/** Expects everything that a completed import promises, after any faults. */
async function expectExact(
  world: World,
  importId: string,
  { hasDefects = false, mayBeCancelled = false } = {},
): Promise<void> {
  const record = (await world.imports.get('cust_1', importId))?.value;
  const plan = (await world.ledger.getPlan('conn_1', importId))?.value;
  const counts = sumTallies(await world.ledger.listTallies('conn_1', importId));
  const rows = (await world.ledger.findRows('conn_1', importId, { fromLine: 0, limit: 10_000 })).map(
    ({ value }) => value,
  );
  if (!mayBeCancelled) expect(record?.status).toBe('completed');
  expect(['completed', 'cancelled']).toContain(record?.status);
  const accepted = rows.filter((row) => row.state !== 'rejected' && row.state !== 'duplicate');
  expect(accepted.filter((row) => !isSettled(row.state))).toEqual([]);
  expect(plan?.accepted).toBe(accepted.length);
  expect(countSettled(counts)).toBe(accepted.length);
  expect(counts.waiting).toBe(0);
  expect(record?.counts, 'the counts in the record').toEqual(countRows(plan, counts));
  expect(record?.counts).toMatchObject({ rows: rows.length, pending: 0 });
  await expectLogged(world, importId, accepted);
  for (const state of settledStates) {
    expect(counts[state], state).toBe(accepted.filter((row) => row.state === state).length);
  }
  for (const row of accepted) {
    const isDefect = hasDefects && row.cause === 'internal_error';
    const isCancelled = mayBeCancelled && row.state === 'cancelled';
    if (!isDefect && !isCancelled) expect(row.state, row.address).toBe(world.verdictOf(row.address));
    const mailbox = (await world.ledger.getMailbox('conn_1', row.address))?.value;
    expect(mailbox?.openRow).toBeUndefined();
    // A later import may have checked it again.
    if (mailbox?.importId !== importId) continue;
    if (!isCancelled) expect(mailbox.status).toBe(row.state === 'passed' ? 'active' : row.state);
    else expect(mailbox.status).toBe(row.takesSlot ? 'disconnected' : 'inconclusive');
  }
}

/** Expects each settled row in exactly one batch, with its state, and that the tallies tell how many batches there are. */
async function expectLogged(world: World, importId: string, accepted: readonly Row[]): Promise<void> {
  const { batches, tallies = [] } = await world.ledger.readSettled('conn_1', importId, new Date(0));
  const logged = batches.flatMap(({ mailboxes }) => mailboxes);
  const short = ({ line, address, state }: { line: number; address: string; state: string }) =>
    `${line} ${address} ${state}`;
  expect(logged.map(short).sort()).toEqual(accepted.map(short).sort());
  for (const { writer, settledBatches = 0 } of tallies) {
    const serials = batches.filter((batch) => batch.writer === writer).map(({ serial }) => serial);
    expect(serials).toEqual(Array.from({ length: settledBatches }, (_, i) => i + 1));
  }
}

/** How many mailboxes hold a slot. */
async function slotsHeld(world: World): Promise<number> {
  const mailboxes = await Array.fromAsync(world.ledger.eachMailbox('conn_1'));
  return mailboxes.filter(({ value }) => value.slotClaimedBy !== undefined).length;
}

it('checks every row once and ends the import', async () => {
  const world = await createWorld(1, noFaults);
  const { id } = await world.startImport(['', ...addresses(60), 'user3@contoso.example']);
  await world.run();
  await expectExact(world, id);
  const plan = (await world.ledger.getPlan('conn_1', id))?.value;
  expect(plan).toMatchObject({ rows: 62, accepted: 60, rejected: 1, duplicates: 1, slotsNeeded: 60, done: true });
  expect(await world.slotsUsed()).toBe(60);
  expect(world.ended).toEqual([id]);
  expect(world.puts).toMatchObject({ checks: 60, cleanups: 0, perRowMax: 1 });
});

it('keeps at most its share of messages on the queue', async () => {
  const world = await createWorld(2, noFaults, { windowTotal: 48, processes: 1 });
  const { id } = await world.startImport(addresses(200));
  await world.run();
  await expectExact(world, id);
  expect(world.puts.rowsMax).toBeLessThanOrEqual(256);
});

it('fails an import that needs more slots than the plan has: no row is checked, and no slot stays taken', async () => {
  const world = await createWorld(3, noFaults, { slotsMax: 10 });
  const { id } = await world.startImport(addresses(20));
  await world.run();
  const record = (await world.imports.get('cust_1', id))?.value;
  expect(record).toMatchObject({ status: 'failed', finding: { code: 'slot_limit_reached' } });
  expect(sumTallies(await world.ledger.listTallies('conn_1', id))).toMatchObject({
    cancelled: 20,
    passed: 0,
    failed: 0,
  });
  expect(await world.slotsUsed()).toBe(0);
});

it('counts exactly, loses nothing and leaves no draft under kills, pauses, cancels, redelivery, lost answers and throttling', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.record({
        lostAnswers: fc.constantFrom(0, 0.03, 0.1),
        redelivered: fc.constantFrom(0, 0.2, 1),
        kills: fc.integer({ min: 0, max: 3 }),
        pauses: fc.integer({ min: 0, max: 3 }),
        cancels: fc.integer({ min: 0, max: 2 }),
        throttled: fc.constantFrom(0, 0.1, 0.3),
        defects: fc.constantFrom(0, 0.1),
        lostMessages: fc.constantFrom(0, 0, 0.05),
        grantSeconds: fc.constantFrom(0, 0, 20, 50),
      }),
      async (seed, faults) => {
        const world = await createWorld(seed, faults);
        const first = await world.startImport(addresses(40));
        const second = await world.startImport([...addresses(15, 'other'), 'user1@contoso.example']);
        await world.run();
        const may = { hasDefects: faults.defects > 0, mayBeCancelled: faults.cancels > 0 };
        await expectExact(world, first.id, may);
        await expectExact(world, second.id, may);
        expect(await world.slotsUsed()).toBe(await slotsHeld(world));
        expect([...world.drafts.entries()]).toEqual([]);
        expect(new Set(world.ended)).toEqual(new Set([first.id, second.id]));
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 6) },
  );
}, 120_000);
