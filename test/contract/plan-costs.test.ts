import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { planImport } from '../../shared/imports/planning/plan-import.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { openCountedTables } from '../support/counted-tables.ts';
import { createPlanningWorld } from '../support/planning-world.ts';

/** How many storage requests planning makes, with the real tables. */

let azurite: Azurite;
let tables: Awaited<ReturnType<typeof openCountedTables>>;
let world: Awaited<ReturnType<typeof createPlanningWorld>>;
beforeAll(async () => {
  azurite = await startAzurite('table');
  tables = await openCountedTables(azurite.connectionString);
  const { ledger, imports, slots } = tables.stores;
  world = await createPlanningWorld({ ledger, imports, slots });
});
afterAll(() => azurite?.stop());

const users = (count: number, from = 0) => Array.from({ length: count }, (_, i) => `user${from + i}@contoso.example`);

async function plan(importId: string, addresses: string[]) {
  await world.addImport(importId, addresses);
  const { counter, stores } = tables;
  Object.assign(counter, { requests: 0 });
  await planImport(world.deps, 'cust_1', importId);
  const { requests } = counter;
  return { requests, plan: (await stores.ledger.getPlan('conn_1', importId))?.value };
}

/**
 * Besides the rows: the import and the plan are read twice each, the plan is created, the import is changed twice, and the
 * slots cost three requests.
 */
const FIXED = 10;

describe('planning', () => {
  it('new mailboxes costs one request for 49 rows', async () => {
    const { requests, plan: planned } = await plan('imp_1', users(5_000));
    expect(planned).toMatchObject({ accepted: 5_000, done: true });
    expect(requests).toBeLessThanOrEqual(Math.ceil(5_000 / 49) + FIXED);
    expect(requests / 5_000).toBeLessThanOrEqual(0.023);
  });

  it('a file that was sent before costs fewer requests than the first time', async () => {
    const { requests, plan: planned } = await plan('imp_2', users(5_000));
    expect(planned).toMatchObject({ duplicates: 5_000, done: true });
    // 99 duplicates in a transaction, two conflicts, and at most five pages for each 1,000 lines: the lines are not in the
    // order of the keys.
    expect(requests).toBeLessThanOrEqual(Math.ceil(5_000 / 99) + 2 + 6 * 5 + FIXED);
  });

  it('a few known mailboxes among 5,000 costs a few requests, not a reading of the connection', async () => {
    const addresses = users(5_000)
      .filter((_, i) => i % 500 === 7)
      .flatMap((address, i) => [address, ...users(9, 1_000_000 + 9 * i)]);
    const { requests, plan: planned } = await plan('imp_3', addresses);
    expect(planned).toMatchObject({ rows: 100, duplicates: 10, accepted: 90 });
    expect(requests).toBeLessThanOrEqual(30 + FIXED);
  });

  it('20 new mailboxes in a connection of 5,000 costs the same as in an empty one', async () => {
    const { requests, plan: planned } = await plan('imp_4', users(20, 2_000_000));
    expect(planned).toMatchObject({ accepted: 20 });
    expect(requests).toBeLessThanOrEqual(1 + FIXED);
  });
});

describe('looking mailboxes up', () => {
  const lookUp = async (addresses: string[]) => {
    Object.assign(tables.counter, { requests: 0, concurrent: 0 });
    const found = await tables.stores.ledger.getMailboxes('conn_1', addresses);
    return { found: found.size, ...tables.counter };
  };

  it('costs one request where the connection has most of them', async () => {
    expect(await lookUp(users(5_000).sort().slice(2_000, 2_501))).toMatchObject({ found: 501, requests: 1 });
  });

  it('costs at most one request for each address, eight at the same time, wherever they lie', async () => {
    const spread = users(5_000).filter((_, i) => i % 100 === 0);
    const cost = await lookUp([...spread, ...spread.map((address) => `x${address}`)]);
    expect(cost.found).toBe(50);
    expect(cost.requests).toBeLessThanOrEqual(100);
    expect(cost.concurrent).toBeLessThanOrEqual(8);
  });
});
