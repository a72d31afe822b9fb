import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isSettled } from '../../../../shared/imports/ledger/row.ts';
import { countSettled, sumTallies } from '../../../../shared/imports/ledger/tally.ts';
import { noFaults } from '../../../support/import-world/faults.ts';
import { createWorld, type World } from '../../../support/import-world/world.ts';

type Verdict = 'passed' | 'failed' | 'inconclusive';

const addresses = (count: number) => Array.from({ length: count }, (_, i) => `user${i}@contoso.example`);
const statusOf = async (world: World, address: string) =>
  (await world.ledger.getMailbox('conn_1', address))?.value.status;
const rowsOf = async (world: World, id: string) =>
  (await world.ledger.findRows('conn_1', id, { fromLine: 0, limit: 1_000 })).map(({ value }) => value);
const slotsHeld = async (world: World) => {
  const mailboxes = await Array.fromAsync(world.ledger.eachMailbox('conn_1'));
  return mailboxes.filter(({ value }) => value.slotClaimedBy !== undefined).length;
};

/** A world whose mailboxes can change their verdict. */
async function worldOf(before: (address: string) => Verdict, ...[seed, faults]: [number, typeof noFaults]) {
  const now = { verdictOf: before };
  const world = await createWorld(seed, faults, {
    verdictOf: (address) => now.verdictOf(address),
    failsAs: 'mailbox_not_found',
    // Long enough for a look every two seconds to see what a mailbox is while it is being checked.
    microsoft: { latencyMs: 3_000 },
  });
  return { world, now };
}

async function importAll(world: World, all: readonly string[]): Promise<void> {
  const { id } = await world.startImport(all);
  await world.until(() => world.ended.includes(id), 24 * 3_600);
}

it('keeps a mailbox active until a verdict says otherwise, takes a slot for one that works again, and tells why others are left out', async () => {
  const [good, bad, fixed, broken] = ['good', 'bad', 'fixed', 'broken'].map((name) => `${name}@contoso.example`);
  const all = [good, bad, fixed, broken] as string[];
  const { world, now } = await worldOf((address) => (address === bad || address === fixed ? 'failed' : 'passed'), 1, {
    ...noFaults,
    throttled: 0.5,
  });
  await importAll(world, all);
  expect(await world.slotsUsed()).toBe(2);
  now.verdictOf = (address) => (address === bad || address === broken ? 'failed' : 'passed');

  const seen = new Set<string | undefined>();
  const { id } = await world.startAction('check', [...all, 'nobody@contoso.example']);
  world.always(async () => void seen.add(await statusOf(world, good as string)));
  await world.run();

  expect(seen).toEqual(new Set(['active']));
  expect(await Promise.all(all.map((address) => statusOf(world, address)))).toEqual([
    'active',
    'failed',
    'active',
    'failed',
  ]);
  expect((await world.imports.get('cust_1', id))?.value).toMatchObject({
    status: 'completed',
    counts: { rows: 5, accepted: 4, rejected: 1, passed: 2, failed: 2 },
    findingCounts: { not_in_connection: 1 },
  });
  expect(await world.slotsUsed()).toBe(2);
  expect(await slotsHeld(world)).toBe(2);
  const verdictsOf = async (address: string | undefined) =>
    (await world.ledger.getMailbox('conn_1', address ?? ''))?.value.history?.map(({ verdict }) => verdict);
  expect(await verdictsOf(good)).toEqual(['passed']);
  expect(await verdictsOf(fixed)).toEqual(['passed', 'failed']);
  expect(await verdictsOf(broken)).toEqual(['failed', 'passed']);
  // It is still a mailbox of the import that contained it.
  expect((await world.ledger.getMailbox('conn_1', good as string))?.value).toMatchObject({
    importId: id,
    listedIn: 'imp_0001',
  });
});

it('leaves out a mailbox that is being checked, so that no mailbox has two open rows', async () => {
  const { world } = await worldOf(() => 'passed', 2, noFaults);
  await importAll(world, addresses(30));
  const first = await world.startAction('check', addresses(30));
  const second = await world.startAction('check', addresses(30));
  await world.run();
  const rows = [...(await rowsOf(world, first.id)), ...(await rowsOf(world, second.id))];
  expect(rows.filter(({ state }) => state === 'passed').length).toBeGreaterThanOrEqual(30);
  expect(rows.every(({ state, code }) => state === 'passed' || code === 'being_checked')).toBe(true);
  expect(await world.slotsUsed()).toBe(30);
});

it('leaves mailboxes as they were if there are too few slots for those that failed', async () => {
  const now = { verdict: 'failed' as Verdict };
  const world = await createWorld(3, noFaults, {
    slotsMax: 3,
    failsAs: 'mailbox_not_found',
    verdictOf: (address) => (address === 'user0@contoso.example' ? 'passed' : now.verdict),
  });
  for (const address of addresses(5)) await importAll(world, [address]);
  const { id } = await world.startAction('check', addresses(5));
  await world.run();
  expect((await world.imports.get('cust_1', id))?.value).toMatchObject({
    status: 'failed',
    finding: { code: 'slot_limit_reached' },
    counts: { accepted: 5, cancelled: 5 },
  });
  const statuses = await Promise.all(addresses(5).map((address) => statusOf(world, address)));
  expect(statuses).toEqual(['active', 'failed', 'failed', 'failed', 'failed']);
  expect(await world.slotsUsed()).toBe(1);
  expect(await slotsHeld(world)).toBe(1);
});

it('counts a check of mailboxes exactly, under kills, cancels, redelivery, lost answers and throttling', async () => {
  const kinds = ['passed', 'failed', 'inconclusive'] as const;
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
      async (seed, faults) => {
        const all = addresses(25);
        const kindOf = (salt: number) => (address: string) =>
          kinds[(address.length * 7 + Number(/\d+/.exec(address)?.[0]) * salt) % 3] ?? 'passed';
        const { world, now } = await worldOf(kindOf(1), seed, { ...noFaults, ...faults });
        await importAll(world, all);
        now.verdictOf = kindOf(2);
        const before = new Map(await Promise.all(all.map(async (one) => [one, await statusOf(world, one)] as const)));
        const { id } = await world.startAction('check', all);
        await world.run();

        const record = (await world.imports.get('cust_1', id))?.value;
        const rows = (await rowsOf(world, id)).filter(({ state }) => state !== 'rejected');
        expect(['completed', 'cancelled']).toContain(record?.status);
        expect(rows.every(({ state }) => isSettled(state))).toBe(true);
        const counts = sumTallies(await world.ledger.listTallies('conn_1', id));
        expect(countSettled(counts)).toBe(rows.length);
        expect(record?.counts).toMatchObject({ accepted: rows.length, pending: 0, waiting: 0 });
        for (const { address, state } of rows) {
          const status = await statusOf(world, address);
          if (state === 'passed') expect(status).toBe('active');
          else if (state === 'failed') expect(status).toBe('failed');
          else if (state === 'cancelled') expect(status).toBe(before.get(address));
          else expect(status).toBe(before.get(address) === 'active' ? 'active' : 'inconclusive');
        }
        expect(await world.slotsUsed()).toBe(await slotsHeld(world));
        expect([...world.drafts.values()].reduce((sum, count) => sum + count, 0)).toBe(0);
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 8) },
  );
});
