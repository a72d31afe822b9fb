import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sumTallies } from '../../../../shared/imports/ledger/tally.ts';
import { noFaults } from '../../../support/import-world/faults.ts';
import { createWorld, type World } from '../../../support/import-world/world.ts';

/** Seeds of each test. More with `RUNS=100`. */
const numRuns = Number(process.env.RUNS ?? 4);
const seeds = fc.integer({ min: 1, max: 1_000_000 });
const processCounts = fc.constantFrom(1, 2, 3, 10);

const addresses = (count: number) => Array.from({ length: count }, (_, i) => `user${i}@contoso.example`);

async function stateOf(world: World, importId: string) {
  const record = (await world.imports.get('cust_1', importId))?.value;
  const { passed, failed } = sumTallies(await world.ledger.listTallies('conn_1', importId));
  return { status: record?.status, finding: record?.finding?.code, passed, failed };
}

async function untilPaused(world: World, importId: string): Promise<void> {
  await world.until(async () => (await stateOf(world, importId)).status === 'paused', 600);
}

it('refused everywhere from the start: at most 64 mailboxes are asked, and none fails', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, processCounts, fc.integer({ min: 30, max: 600 }), async (seed, processes, rows) => {
      const world = await createWorld(seed, noFaults, { processes, verdictOf: () => 'failed' });
      const { id } = await world.startImport(addresses(rows));
      await untilPaused(world, id);
      expect(await stateOf(world, id)).toEqual({
        status: 'paused',
        finding: 'permission_missing',
        passed: 0,
        failed: 0,
      });
      expect(world.asked.size).toBeLessThanOrEqual(64);
    }),
    { numRuns },
  );
}, 600_000);

it('refused everywhere from some moment on: about one window of mailboxes is asked in vain, and none fails', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, processCounts, fc.integer({ min: 30, max: 400 }), async (seed, processes, from) => {
      let isWithdrawn = false;
      const verdictOf = () => (isWithdrawn ? 'failed' : 'passed');
      const world = await createWorld(seed, noFaults, { processes, verdictOf });
      const { id } = await world.startImport(addresses(1_500));
      await world.until(() => world.asked.size >= from, 600);
      isWithdrawn = true;
      const askedBefore = world.asked.size;
      await untilPaused(world, id);
      expect(await stateOf(world, id)).toMatchObject({ status: 'paused', failed: 0 });
      // Until the first refusals are reported, passes that were under way still make room for more.
      expect(world.asked.size - askedBefore).toBeLessThanOrEqual(1.5 * Math.max(64, world.puts.rowsMax));
    }),
    { numRuns },
  );
}, 600_000);

it('refused to one department of a sorted list: its own verdict, and never a pause', async () => {
  await fc.assert(
    fc.asyncProperty(seeds, processCounts, fc.integer({ min: 0, max: 400 }), async (seed, processes, from) => {
      const refused = new Set(addresses(500).slice(from, from + 100));
      const verdictOf = (address: string) => (refused.has(address) ? 'failed' : 'passed');
      const world = await createWorld(seed, noFaults, { processes, verdictOf });
      const { id } = await world.startImport(addresses(500));
      await world.run(600);
      expect(await stateOf(world, id)).toMatchObject({ status: 'completed', passed: 400, failed: 100 });
      // Each mailbox once, and perhaps one that had passed once more.
      const checks = [...world.asked.values()].reduce((sum, times) => sum + times, 0);
      expect(checks).toBeLessThanOrEqual(501);
    }),
    { numRuns },
  );
}, 600_000);
