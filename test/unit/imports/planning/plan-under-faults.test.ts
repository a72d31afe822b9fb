import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import { openRowOf } from '../../../../shared/imports/ledger/row.ts';
import { type PlanDeps, planImport } from '../../../../shared/imports/planning/plan-import.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { createRandom } from '../../../support/import-world/random.ts';
import { createPlanningWorld } from '../../../support/planning-world.ts';
import { aMailbox } from '../../../support/records.ts';

type World = Awaited<ReturnType<typeof createPlanningWorld>>;
type Call<Result> = () => Promise<Result>;
/** What happens around one call of a planner to the outside. */
type Fault = <Result>(call: Call<Result>) => Promise<Result>;

const user = (n: number) => `user${n}@contoso.example`;
/** Some new mailboxes, some that are active, some that failed before, rejected rows, and repeated addresses. */
const upload = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => (i % 23 === 22 ? '' : user(from + (i % 17 === 16 ? i - 9 : i))));

/** A connection with mailboxes that have slots: every fifth of the first 200, active or failed. */
async function worldWithMailboxes(planShiftMs: number): Promise<World> {
  const ledger = inMemoryLedger();
  for (let n = 0; n < 200; n += 5) {
    const mailbox = aMailbox({
      address: user(n),
      status: n % 2 ? 'failed' : 'active',
      slotClaimedBy: 'imp_0',
      importId: 'imp_0',
    });
    await ledger.commit('conn_1', [{ op: 'createMailbox', mailbox }]);
  }
  return createPlanningWorld({ ledger, planShiftMs });
}

/** The dependencies as one process sees them: a fault may happen around each call. */
function withFaults(deps: PlanDeps, fault: Fault): PlanDeps {
  const { ledger, imports, slots, importQueues } = deps;
  return {
    ...deps,
    ledger: {
      ...ledger,
      commit: (...args) => fault(() => ledger.commit(...args)),
      getPlan: (...args) => fault(() => ledger.getPlan(...args)),
      getMailboxes: (...args) => fault(() => ledger.getMailboxes(...args)),
    },
    imports: {
      ...imports,
      get: (...args) => fault(() => imports.get(...args)),
      update: (...args) => fault(() => imports.update(...args)),
    },
    slots: { claim: (...args) => fault(() => slots.claim(...args)) },
    importQueues: {
      ...importQueues,
      sendPlan: (...args) => fault(() => importQueues.sendPlan(...args)),
      sendDispatch: (...args) => fault(() => importQueues.sendDispatch(...args)),
    },
  };
}

/** Delivers plan messages, as the sweep does when they are lost, until the import is running. */
async function planToTheEnd(world: World, importId: string): Promise<void> {
  for (let deliveries = 0; deliveries < 100; deliveries++) {
    await planImport(world.deps, 'cust_1', importId);
    if ((await world.deps.imports.get('cust_1', importId))?.value.status === 'running') return;
  }
  throw new Error('the import is not running after 100 messages');
}

/** Expects every line of these imports to be planned once, and every count to be that of the rows and mailboxes. */
async function expectExact({ deps, slots }: World, uploads: Record<string, readonly string[]>): Promise<void> {
  const acceptedBy = new Map<string, string>();
  for (const [importId, addresses] of Object.entries(uploads)) {
    const rows = await rowsOf(deps.ledger, importId);
    expect(rows.map(({ line }) => line)).toEqual(addresses.map((_, i) => i + 2));
    expect(rows.map(({ address }) => address)).toEqual(addresses);
    const count = (state: string) => rows.filter((row) => row.state === state).length;
    const accepted = rows.filter(({ state }) => state === 'pending');
    expect((await deps.ledger.getPlan('conn_1', importId))?.value).toMatchObject({
      rows: addresses.length,
      accepted: accepted.length,
      rejected: count('rejected'),
      duplicates: count('duplicate'),
      done: true,
    });
    expect(count('rejected')).toBe(addresses.filter((address) => address === '').length);
    for (const row of accepted) {
      expect(acceptedBy.get(row.address), row.address).toBeUndefined();
      acceptedBy.set(row.address, openRowOf(row));
    }
  }
  // Each address of the files is accepted once, unless its mailbox was active before.
  let slotsClaimed = 0;
  for await (const { value: mailbox } of deps.ledger.eachMailbox('conn_1')) {
    expect(mailbox.openRow).toBe(acceptedBy.get(mailbox.address));
    if (mailbox.slotClaimedBy !== 'imp_0') slotsClaimed++;
    acceptedBy.delete(mailbox.address);
  }
  expect([...acceptedBy]).toEqual([]);
  for (const address of new Set(Object.values(uploads).flat())) {
    if (address !== '') expect(await deps.ledger.getMailbox('conn_1', address), address).toBeDefined();
  }
  expect((await slots.get('cust_1'))?.used).toBe(slotsClaimed);
}

async function rowsOf(ledger: Ledger, importId: string) {
  return (await ledger.findRows('conn_1', importId, { fromLine: 0, limit: 10_000 })).map(({ value }) => value);
}

/** A call that never returns, because its process is dead. */
const never = () => new Promise<never>(() => {});

describe.each([
  ['in one shift', 240_000],
  ['handing over after each transaction', 0],
])('%s', (_, planShiftMs) => {
  it.each(['killed before', 'killed after', 'without an answer to'] as const)(
    'counts exactly when the planner is %s any of its calls',
    async (kind) => {
      let total = Number.POSITIVE_INFINITY;
      for (let at = 1; at <= total; at++) {
        const world = await worldWithMailboxes(planShiftMs);
        const addresses = upload(240);
        await world.addImport('imp_1', addresses);
        let calls = 0;
        const dead = Promise.withResolvers<void>();
        const deps = withFaults(world.deps, async (call) => {
          if (++calls !== at) return call();
          if (kind === 'killed before') return die();
          await call();
          if (kind === 'killed after') return die();
          throw new DomainError('storage_unavailable', 'The answer was lost.');
        });
        const die = () => {
          dead.resolve();
          return never();
        };
        for (let messages = 1; messages > 0 && calls < at; messages--) {
          const sentBefore = world.sent.plan;
          await Promise.race([planImport(deps, 'cust_1', 'imp_1').catch(() => undefined), dead.promise]);
          messages += world.sent.plan - sentBefore;
        }
        if (calls < at) total = calls;
        await planToTheEnd(world, 'imp_1');
        await expectExact(world, { imp_1: addresses });
      }
      expect(total).toBeGreaterThan(10);
    },
  );
});

it('counts exactly with several planners of the same imports, kills, redelivery and lost answers', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 1_000_000 }),
      fc.record({
        lostAnswers: fc.constantFrom(0, 0.05, 0.2),
        kills: fc.constantFrom(0, 0.02, 0.1),
        planners: fc.integer({ min: 1, max: 4 }),
        planShiftMs: fc.constantFrom(0, 240_000),
        offset: fc.constantFrom(0, 40, 500),
      }),
      async (seed, { lostAnswers, kills, planners, planShiftMs, offset }) => {
        const random = createRandom(seed);
        const world = await worldWithMailboxes(planShiftMs);
        const uploads = { imp_1: upload(240), imp_2: upload(240, offset) };
        for (const [id, addresses] of Object.entries(uploads)) await world.addImport(id, addresses);

        const someTurns = async () => {
          for (let turns = Math.floor(random() * 4); turns > 0; turns--) await new Promise(setImmediate);
        };
        /** Plans until its message is done, it is killed, or an answer is lost. */
        const deliver = async (importId: string) => {
          const dead = Promise.withResolvers<void>();
          const die = () => {
            dead.resolve();
            return never();
          };
          const deps = withFaults(world.deps, async (call) => {
            await someTurns();
            if (random() < kills) return die();
            if (random() < lostAnswers) {
              const chance = random();
              if (chance < 0.4) await call();
              // It arrives, but later.
              else if (chance < 0.7) void someTurns().then(someTurns).then(call);
              throw new DomainError('storage_unavailable', 'The answer was lost.');
            }
            const result = await call();
            await someTurns();
            return random() < kills ? die() : result;
          });
          const planned = planImport(deps, 'cust_1', importId).catch((error) => {
            if (!(error instanceof DomainError)) throw error;
          });
          await Promise.race([planned, dead.promise]);
        };
        const process = async () => {
          for (let deliveries = 0; deliveries < 6; deliveries++) await deliver(random() < 0.5 ? 'imp_1' : 'imp_2');
        };
        await Promise.all(Array.from({ length: planners }, process));
        for (const id of Object.keys(uploads)) await planToTheEnd(world, id);
        for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
        await expectExact(world, uploads);
      },
    ),
    { numRuns: Number(process.env.RUNS ?? 30) },
  );
});
