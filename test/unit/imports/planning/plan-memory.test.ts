import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import type { Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import { planImport } from '../../../../shared/imports/planning/plan-import.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { createPlanningWorld } from '../../../support/planning-world.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** A ledger that keeps the plan only, so that what grows belongs to the planner. */
function forgetfulLedger(): Ledger {
  const ledger = inMemoryLedger();
  return {
    ...ledger,
    async commit(connectionId, changes) {
      const plans = changes.filter(({ op }) => op === 'createPlan' || op === 'mergePlan');
      const result = await ledger.commit(connectionId, plans);
      return result.committed ? { committed: true, tags: changes.map(() => result.tags[0] ?? '') } : result;
    },
  };
}

function* users(count: number): Generator<string> {
  for (let n = 0; n < count; n++) yield `user.number${n}@contoso.example`;
}

it('holds nothing of the rows that are planned: ten times the rows take no more memory', async () => {
  const ledger = forgetfulLedger();
  const world = await createPlanningWorld({ ledger });
  const heapWhilePlanning = async (importId: string, rows: number): Promise<number> => {
    let heap = 0;
    const addresses = (function* () {
      yield* users(rows);
      // The last row is read while the planner still holds everything that it holds.
      collectGarbage();
      heap = process.memoryUsage().heapUsed;
    })();
    await world.addImport(importId, addresses);
    await planImport(world.deps, 'cust_1', importId);
    expect((await ledger.getPlan('conn_1', importId))?.value.accepted).toBe(rows);
    return heap;
  };
  await heapWhilePlanning('imp_0', 5_000);
  const small = await heapWhilePlanning('imp_1', 20_000);
  const large = await heapWhilePlanning('imp_2', 200_000);
  expect((large - small) / 180_000, 'bytes for each row').toBeLessThan(5);
});
