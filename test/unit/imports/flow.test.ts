import { describe, expect, it } from 'vitest';
import { pauseImport } from '../../../shared/imports/control/pause-import.ts';
import { FIRST_WINDOW } from '../../../shared/imports/dispatching/flow.ts';
import { isSettled } from '../../../shared/imports/ledger/row.ts';
import { countSettled, sumTallies } from '../../../shared/imports/ledger/tally.ts';
import { noFaults } from '../../support/import-world/faults.ts';
import { createWorld, type World } from '../../support/import-world/world.ts';

const addresses = (count: number, prefix = 'user') =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}@contoso.example`);
const allPass = () => 'passed' as const;

/** Parts and HTTP requests of a mailbox that passes: inbox, draft, send; then removal and the look for more. */
const PARTS = 5;
const REQUESTS = 2;

/** Slow start, one window of ten seconds that was used up at once, and the first probe after it. */
const START_UP_SECONDS = 25;

async function expectAllPassed(world: World, importId: string, rows: number): Promise<void> {
  const record = (await world.imports.get('cust_1', importId))?.value;
  expect(record?.status).toBe('completed');
  expect(record?.counts).toMatchObject({ accepted: rows, passed: rows, failed: 0, inconclusive: 0, waiting: 0 });
  expect([...world.drafts]).toEqual([]);
}

describe('a tenant that throttles', () => {
  const tenants = [
    { limit: 10, mailboxes: 60, parts: PARTS },
    ...[
      { limit: 120, mailboxes: 186 },
      { limit: 120, mailboxes: 300 },
      { limit: 500, mailboxes: 500 },
      { limit: 2_000, mailboxes: 1_000 },
      // An app that may read users and settings is asked two questions more.
    ].flatMap((tenant) => [PARTS, PARTS + 2].map((parts) => ({ ...tenant, parts }))),
  ];
  // Each tenant by two of the four; all of them with `RUNS`. Every pair of values comes together in some case.
  const cases = tenants.flatMap((tenant, i) =>
    [1, 3]
      .flatMap((processes) => [undefined, 5].map((seconds) => ({ ...tenant, processes, seconds })))
      .filter((_, j) => process.env.RUNS !== undefined || (j === 1 || j === 2) === (i % 2 === 0)),
  );
  it.each(cases)(
    'is asked little more than necessary, and near its limit: $mailboxes mailboxes of $parts parts at $limit in ten seconds, $processes processes, Retry-After $seconds',
    async ({ limit, mailboxes, parts, processes, seconds }) => {
      const microsoft = {
        limit,
        moreQuestions: parts - PARTS,
        latencyMs: 100,
        ...(seconds !== undefined && { retryAfterSeconds: seconds }),
      };
      const world = await createWorld(7, noFaults, { processes, microsoft, verdictOf: allPass });
      const { id } = await world.startImport(addresses(mailboxes));
      await world.until(() => world.ended.length > 0, 3_600);
      const took = world.seconds();
      await world.run();
      await expectAllPassed(world, id, mailboxes);
      // With few mailboxes, those that are under way when the limit is first met are a larger share.
      const atFirstLimit = mailboxes < 150 ? FIRST_WINDOW : 0;
      expect(world.microsoft.requests()).toBeLessThanOrEqual(1.15 * REQUESTS * mailboxes + atFirstLimit);
      expect(world.puts.checks).toBeLessThanOrEqual(1.2 * mailboxes + atFirstLimit);
      expect(world.puts).toMatchObject({ perRowMax: 1, cleanups: 0 });
      // A mailbox is asked as a whole, so the limit is what whole mailboxes fit into ten seconds.
      const needed = (mailboxes * 10) / Math.floor(limit / parts);
      expect(took).toBeLessThanOrEqual(START_UP_SECONDS + needed / 0.85);
    },
    30_000,
  );

  it('is not asked less and less if it refuses a fifth of all requests at any pace', async () => {
    const microsoft = { noise: 0.2, latencyMs: 100, retryAfterSeconds: 1 };
    const world = await createWorld(8, noFaults, { processes: 1, microsoft, verdictOf: allPass });
    const { id } = await world.startImport(addresses(300));
    await world.run(200);
    await expectAllPassed(world, id, 300);
  });

  it('is back at full speed soon after it had let nothing through', async () => {
    const microsoft = { limit: 0, latencyMs: 100, retryAfterSeconds: 20 };
    const world = await createWorld(8, noFaults, { processes: 2, microsoft, verdictOf: allPass });
    const { id } = await world.startImport(addresses(600));
    await world.until(() => world.seconds() > 45, 60);
    expect(world.asked.size).toBeLessThan(64);
    delete world.microsoft.options.limit;
    await world.until(() => world.ended.length > 0, 3_600);
    expect(world.seconds()).toBeLessThan(45 + 40);
    await world.run();
    await expectAllPassed(world, id, 600);
  });
});

describe('an import that waits says for what, and until when', () => {
  /** Expects that a customer always learns what is waited for, and until when. Resolves to the causes that were seen. */
  function watchWaits(world: World, importId: string, knownAfterSeconds = 10): Set<string> {
    const seen = new Set<string>();
    let settled = 0;
    let settledAt = 0;
    let lookedAt = Number.NEGATIVE_INFINITY;
    world.always(async () => {
      if (world.seconds() - lookedAt < 0.2) return;
      lookedAt = world.seconds();
      const record = (await world.imports.get('cust_1', importId))?.value;
      const counts = sumTallies(await world.ledger.listTallies('conn_1', importId));
      if (countSettled(counts) !== settled) [settled, settledAt] = [countSettled(counts), world.seconds()];
      if (record?.status !== 'running') return;
      if (record.waitingFor) seen.add(record.waitingFor.cause);
      const isStuck = world.seconds() - settledAt > knownAfterSeconds;
      if (isStuck) expect(record.waitingFor, 'nothing was settled for a while').toBeDefined();
      const query = { fromLine: 0, states: ['waiting'] as const, limit: 10_000 };
      for (const { value: row } of await world.ledger.findRows('conn_1', importId, query)) {
        if (!row.heldAt) expect(row).toMatchObject({ cause: expect.any(String), nextCheckAt: expect.any(Date) });
      }
    });
    return seen;
  }

  it('a limit of Microsoft', async () => {
    const microsoft = { limit: 60, latencyMs: 100, retryAfterSeconds: 20 };
    const world = await createWorld(7, noFaults, { microsoft, verdictOf: allPass });
    const { id } = await world.startImport(addresses(100));
    const seen = watchWaits(world, id);
    await world.until(async () => (await waitOf(world, id))?.until !== undefined, 60);
    const wait = await waitOf(world, id);
    expect(wait).toMatchObject({ cause: 'throttled' });
    expect((wait?.until?.getTime() ?? 0) - world.nowMs()).toBeGreaterThan(5_000);
    await world.run();
    expect([...seen]).toEqual(['throttled']);
    expect(await waitOf(world, id)).toBeUndefined();
  });

  it('a Microsoft that is silent', async () => {
    const microsoft = { silent: { fromMs: 5_000, toMs: 200_000 }, latencyMs: 100 };
    const world = await createWorld(7, noFaults, { microsoft, verdictOf: allPass });
    const { id } = await world.startImport(addresses(2_000));
    // Silence shows after 30 seconds.
    const seen = watchWaits(world, id, 40);
    await world.until(() => world.seconds() > 100, 200);
    expect(await waitOf(world, id)).toMatchObject({ cause: 'microsoft_unavailable', until: expect.any(Date) });
    await world.run();
    expect([...seen]).toEqual(['microsoft_unavailable']);
  });

  it('new grants', async () => {
    const world = await createWorld(7, { ...noFaults, grantSeconds: 50 }, { verdictOf: allPass });
    const { id } = await world.startImport(addresses(40));
    const seen = watchWaits(world, id);
    await world.until(async () => (await waitOf(world, id)) !== undefined, 60);
    const until = (await waitOf(world, id))?.until;
    expect((until?.getTime() ?? 0) - world.nowMs()).toBeGreaterThan(20_000);
    await world.run();
    expect([...seen]).toEqual(['propagating']);
  });

  it('nothing, as long as it goes on', async () => {
    const world = await createWorld(7, noFaults, { verdictOf: allPass });
    const { id } = await world.startImport(addresses(1_000));
    const seen = watchWaits(world, id);
    await world.run();
    expect([...seen]).toEqual([]);
  });
});

async function waitOf(world: World, importId: string) {
  return (await world.imports.get('cust_1', importId))?.value.waitingFor;
}

/** Checks that one process runs at the same time. */
const CHECKS_AT_ONCE = 24;

/** Mailboxes a second between a quarter and three quarters of an import. */
async function rateOf(world: World, importId: string, rows: number): Promise<number> {
  const passed = async () => sumTallies(await world.ledger.listTallies('conn_1', importId)).passed;
  await world.until(async () => (await passed()) >= rows / 4, 3_600);
  const from = { passed: await passed(), seconds: world.seconds() };
  await world.until(async () => (await passed()) >= (3 * rows) / 4, 3_600);
  return ((await passed()) - from.passed) / (world.seconds() - from.seconds);
}

it.each([
  { latencyMs: 100, processes: 1 },
  { latencyMs: 100, processes: 2 },
  { latencyMs: 100, processes: 4 },
  { latencyMs: 200, processes: 2 },
])(
  'keeps every place of every process busy with one message and two requests a mailbox: $processes processes, $latencyMs ms',
  async ({ latencyMs, processes }) => {
    const world = await createWorld(7, noFaults, { processes, microsoft: { latencyMs }, verdictOf: allPass });
    const rows = 1_000 * processes;
    const { id } = await world.startImport(addresses(rows));
    const rate = await rateOf(world, id, rows);
    expect(rate).toBeGreaterThan((0.9 * processes * CHECKS_AT_ONCE * 1000) / (REQUESTS * latencyMs));
    await world.run();
    await expectAllPassed(world, id, rows);
    expect(world.puts).toMatchObject({ checks: rows, perRowMax: 1, cleanups: 0 });
    expect(world.microsoft.requests()).toBe(REQUESTS * rows);
  },
  60_000,
);

/** What an import that was paused for one finding shows. */
async function pausedState(world: World, importId: string) {
  const record = (await world.imports.get('cust_1', importId))?.value;
  const counts = sumTallies(await world.ledger.listTallies('conn_1', importId));
  return { status: record?.status, finding: record?.finding?.code, failed: counts.failed, passed: counts.passed };
}

const isPaused = (world: World, importId: string) => async () =>
  (await world.imports.get('cust_1', importId))?.value.status === 'paused';

describe('a refusal of every mailbox', () => {
  it.each([1, 3, 10])('pauses the import with one finding and no failed row, %s processes', async (processes) => {
    const world = await createWorld(3, noFaults, { processes, verdictOf: () => 'failed' });
    const { id } = await world.startImport(addresses(1_000));
    await world.until(isPaused(world, id), 600);
    const state = await pausedState(world, id);
    expect(state).toEqual({ status: 'paused', finding: 'permission_missing', failed: 0, passed: 0 });
    expect(world.asked.size).toBeLessThanOrEqual(64);
  });

  it.each([1, 10])('in mid-import costs at most what is under way, %s processes', async (processes) => {
    let isWithdrawn = false;
    const world = await createWorld(3, noFaults, { processes, verdictOf: () => (isWithdrawn ? 'failed' : 'passed') });
    const { id } = await world.startImport(addresses(3_000));
    await world.until(() => world.asked.size > 600, 600);
    isWithdrawn = true;
    const askedBefore = world.asked.size;
    const { rowsMax } = world.puts;
    await world.until(isPaused(world, id), 600);
    const state = await pausedState(world, id);
    expect(state).toMatchObject({ status: 'paused', failed: 0 });
    expect(world.asked.size - askedBefore).toBeLessThanOrEqual(1.3 * Math.max(64, rowsMax));
    isWithdrawn = false;
    await world.resume(id);
    await world.run();
    await expectAllPassed(world, id, 3_000);
  });

  it.each([0, 450, 900])('of one department only, from row %s on, is the verdict of its mailboxes', async (from) => {
    const refused = new Set(addresses(1_000).slice(from, from + 100));
    const verdictOf = (address: string) => (refused.has(address) ? 'failed' : 'passed');
    const world = await createWorld(3, noFaults, { processes: 3, verdictOf });
    const { id } = await world.startImport(addresses(1_000));
    await world.run(600);
    const record = (await world.imports.get('cust_1', id))?.value;
    expect(record).toMatchObject({ status: 'completed', counts: { passed: 900, failed: 100 } });
    // Each mailbox once, and perhaps one that had passed once more.
    const checks = [...world.asked.values()].reduce((sum, times) => sum + times, 0);
    expect(checks).toBeLessThanOrEqual(1_001);
  });

  it('is looked into by scouts that a pause does not lose', async () => {
    let isFixed = false;
    const world = await createWorld(3, noFaults, { processes: 3, verdictOf: () => (isFixed ? 'passed' : 'failed') });
    const { id } = await world.startImport(addresses(28));
    const scouted = async () => (await world.imports.get('cust_1', id))?.value.scoutedLines?.length ?? 0;
    await world.until(async () => (await scouted()) > 0, 600);
    const pausedAt = world.seconds();
    await pauseImport({ imports: world.imports, clock: { now: () => new Date(0) } }, 'cust_1', id);
    await world.until(() => world.seconds() > pausedAt + 30, 40);
    isFixed = true;
    await world.resume(id);
    await world.run(600);
    await expectAllPassed(world, id, 28);
  });

  it('gives every mailbox a verdict if the customer resumes without a fix', async () => {
    const world = await createWorld(3, noFaults, { processes: 2, verdictOf: () => 'failed' });
    const { id } = await world.startImport(addresses(200));
    await world.until(isPaused(world, id), 600);
    await world.resume(id);
    await world.run(600);
    const record = (await world.imports.get('cust_1', id))?.value;
    expect(record).toMatchObject({ status: 'completed', counts: { accepted: 200, failed: 200, waiting: 0 } });
  });
});

it('asks a Microsoft that is silent only by probes, and is back at full speed within 30 seconds', async () => {
  const minutes = 20;
  const rows = 4_000;
  const silent = { fromMs: 12_000, toMs: 12_000 + minutes * 60_000 };
  const options = { processes: 2, microsoft: { silent, latencyMs: 100 }, verdictOf: allPass };
  const world = await createWorld(5, noFaults, options);
  const { id } = await world.startImport(addresses(rows));
  const passed = async () => sumTallies(await world.ledger.listTallies('conn_1', id)).passed;
  await world.until(() => world.seconds() * 1000 >= silent.fromMs + 60_000, 120);
  const requests = world.microsoft.requests();
  await world.until(() => world.seconds() * 1000 >= silent.toMs, 3_600);
  // A probe every 15 seconds, each with two requests at most.
  expect(world.microsoft.requests() - requests).toBeLessThan(minutes * 4 * 2);
  const left = rows - (await passed());
  expect(left).toBeGreaterThan(1_500);
  await world.until(() => world.ended.length > 0, 3_600);
  const fullSpeed = (0.9 * 2 * CHECKS_AT_ONCE * 1000) / (REQUESTS * 100);
  expect(world.seconds() - silent.toMs / 1000).toBeLessThan(30 + left / fullSpeed);
  await world.run();
  await expectAllPassed(world, id, rows);
  expect(world.puts.perRowMax).toBe(1);
}, 60_000);

describe('what is lost is found within seconds, with the settings of a deployment', () => {
  it('a worker that dies with messages in hand', async () => {
    const world = await createWorld(9, noFaults, { processes: 3, microsoft: { latencyMs: 100 }, verdictOf: allPass });
    const { id } = await world.startImport(addresses(2_000));
    await world.until(() => world.asked.size > 800, 600);
    const victim = world.processes.find((process) => !process.isDispatching());
    if (!victim) throw new Error('every process dispatches');
    const inHand = world.inHandOf(victim, id);
    expect(inHand.length).toBeGreaterThan(0);
    world.kill(victim);
    const diedAt = world.seconds();
    await world.until(async () => (await openOf(world, id, inHand)) === 0, 60);
    expect(world.seconds() - diedAt).toBeLessThanOrEqual(15);
    await world.run();
    await expectAllPassed(world, id, 2_000);
  });

  it('a dispatcher that dies', async () => {
    const world = await createWorld(9, noFaults, { processes: 3, microsoft: { latencyMs: 100 }, verdictOf: allPass });
    const { id } = await world.startImport(addresses(2_000));
    await world.until(() => world.asked.size > 800, 600);
    const victim = world.processes.find((process) => process.isDispatching());
    if (!victim) throw new Error('no process dispatches');
    world.kill(victim);
    const diedAt = world.seconds();
    const { checks } = world.puts;
    await world.until(() => world.puts.checks > checks, 60);
    expect(world.seconds() - diedAt).toBeLessThanOrEqual(15);
    await world.run();
    await expectAllPassed(world, id, 2_000);
  });

  it('a storage request of the dispatcher that fails once', async () => {
    const world = await createWorld(9, noFaults, { processes: 1, microsoft: { latencyMs: 100 }, verdictOf: allPass });
    const { id } = await world.startImport(addresses(2_000));
    await world.until(() => world.asked.size > 800, 600);
    world.failNextTallyRead();
    const failedAt = world.seconds();
    const { checks } = world.puts;
    await world.until(() => world.puts.checks > checks + 64, 60);
    expect(world.seconds() - failedAt).toBeLessThanOrEqual(15);
    await world.run();
    await expectAllPassed(world, id, 2_000);
    expect(world.puts.perRowMax).toBe(1);
  });
});

/** How many of these lines are not settled. */
async function openOf(world: World, importId: string, lines: readonly number[]): Promise<number> {
  const rows = await Promise.all(lines.map((line) => world.ledger.getRow('conn_1', importId, line)));
  return rows.filter((row) => row && !isSettled(row.value.state)).length;
}

it('divides the pace of a tenant among its imports', async () => {
  const microsoft = { limit: 300, latencyMs: 100 };
  const world = await createWorld(4, noFaults, { processes: 3, microsoft, verdictOf: allPass });
  const imports = [await world.startImport(addresses(800)), await world.startImport(addresses(800, 'other'))];
  await world.until(() => world.seconds() > 60, 100);
  const passed = await Promise.all(
    imports.map(async ({ id }) => sumTallies(await world.ledger.listTallies('conn_1', id)).passed),
  );
  expect(Math.min(...passed) / Math.max(...passed)).toBeGreaterThan(0.7);
  await world.run();
  for (const { id } of imports) await expectAllPassed(world, id, 800);
});

it('keeps a small import quick beside a large one and many imports of a third customer', async () => {
  const microsoft = { latencyMs: 30 };
  const alone = await createWorld(6, noFaults, { processes: 1, microsoft, verdictOf: allPass });
  await alone.startImport(addresses(20, 'small'));
  await alone.until(() => alone.ended.length > 0, 600);

  const world = await createWorld(6, noFaults, { processes: 1, microsoft, verdictOf: allPass });
  await world.startImport(addresses(6_000, 'large'), 'cust_2');
  for (let i = 0; i < 20; i++) await world.startImport(addresses(200, `many${i}-`), 'cust_3');
  await world.until(() => world.seconds() > 15, 600);
  const small = await world.startImport(addresses(20, 'small'));
  const startedAt = world.seconds();
  await world.until(() => world.ended.includes(small.id), 600);
  expect(world.seconds() - startedAt).toBeLessThanOrEqual(3 * alone.seconds());
}, 60_000);
