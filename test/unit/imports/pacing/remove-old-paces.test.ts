import { beforeEach, expect, it } from 'vitest';
import { holdPace } from '../../../../shared/imports/dispatching/pace-holder.ts';
import { removeOldPaces, removePaceOf } from '../../../../shared/imports/pacing/remove-old-paces.ts';
import { newTenantPace, type TenantPace } from '../../../../shared/imports/pacing/tenant-pace.ts';
import { tenantKeyOf } from '../../../../shared/imports/tenant-key.ts';
import { inMemoryConnections } from '../../../fakes/in-memory-connections.ts';
import { inMemoryImports } from '../../../fakes/in-memory-imports.ts';
import { inMemoryTenantPaces } from '../../../fakes/in-memory-tenant-paces.ts';
import { aConnection, RECORDS_NOW } from '../../../support/records.ts';

const DAY_MS = 86_400_000;
const NOW = RECORDS_NOW.getTime();
const ago = (days: number) => NOW - days * DAY_MS;
const tenant = tenantKeyOf(aConnection());

let deps: ReturnType<typeof createDeps>;
function createDeps() {
  return {
    tenantPaces: inMemoryTenantPaces(),
    imports: inMemoryImports(),
    connections: inMemoryConnections(),
    clock: { now: () => RECORDS_NOW },
  };
}
beforeEach(async () => {
  deps = createDeps();
  await deps.connections.insert(aConnection());
});

const put = (change: Partial<TenantPace>) =>
  deps.tenantPaces.put({ ...newTenantPace(tenant), generation: 7, cutAt: ago(40), ...change }, undefined);
const openImport = () =>
  deps.imports.openPointer({
    importId: 'imp_1',
    customerId: 'cust_1',
    connectionId: 'conn_1',
    openedAt: new Date(ago(35)),
  });
const generation = async () => (await deps.tenantPaces.get(tenant))?.value.generation;

it('removes the paces whose newest time is more than 30 days ago, however many there are', async () => {
  for (let i = 0; i < 250; i++) await put({ tenant: `global ${i} app`, cutAt: i % 2 ? ago(31) : ago(29) });
  expect(await removeOldPaces(deps)).toBe(125);
  expect(await Array.fromAsync(deps.tenantPaces.each())).toHaveLength(125);
  expect(await removeOldPaces(deps)).toBe(0);
});

it.each<[string, Partial<TenantPace>]>([
  ['an import that shares it', { sharers: { imp_9: ago(29) } }],
  ['a probe', { probe: { importId: 'imp_9', sentAt: ago(29) } }],
  ['a hold', { holdUntil: ago(-1) }],
  ['a raise', { since: ago(2) }],
  ['noise', { noisyUntil: ago(3) }],
  ['a probe that is due', { nextProbeAt: ago(29) }],
])('keeps a pace that %s still speaks of', async (_, change) => {
  await put(change);
  expect(await removeOldPaces(deps)).toBe(0);
});

it('keeps the pace of a tenant with an open import, which goes on with the generation that it knows', async () => {
  await put({});
  await openImport();
  expect(await removeOldPaces(deps)).toBe(0);
  const holder = holdPace(deps.tenantPaces, tenant);
  await holder.read();
  expect(holder.value).toMatchObject({ generation: 7 });
  expect(holder.value).not.toHaveProperty('isRetired');
  expect(await holder.write({ ...holder.value, generation: 8 })).toBe(true);
  await deps.imports.closePointer('imp_1');
  expect(await removeOldPaces(deps)).toBe(1);
});

it('never removes a pace that an import has begun to use in the meantime, at whatever moment it comes', async () => {
  for (const moment of ['each', 'put', 'listOpen', 'remove'] as const) {
    for (const comesAfter of [false, true]) {
      deps = createDeps();
      await deps.connections.insert(aConnection());
      await put({});
      let known: number | undefined;
      const begin = async () => {
        await openImport();
        const holder = holdPace(deps.tenantPaces, tenant);
        await holder.read();
        known = holder.value.generation;
      };
      const around =
        <Args extends unknown[], Result>(call: (...args: Args) => Promise<Result>) =>
        async (...args: Args) => {
          if (!comesAfter) await begin();
          const result = await call(...args);
          if (comesAfter) await begin();
          return result;
        };
      const { tenantPaces, imports } = deps;
      const racing = {
        ...deps,
        tenantPaces: {
          async *each() {
            if (moment === 'each' && !comesAfter) await begin();
            for await (const one of tenantPaces.each()) {
              if (moment === 'each' && comesAfter) await begin();
              yield one;
            }
          },
          put: moment === 'put' ? around(tenantPaces.put) : tenantPaces.put,
          remove: moment === 'remove' ? around(tenantPaces.remove) : tenantPaces.remove,
        },
        imports: { listOpen: moment === 'listOpen' ? around(imports.listOpen) : imports.listOpen },
      };
      await removeOldPaces(racing);
      // What the import has read is what is there, or there was nothing when it began.
      expect([moment, comesAfter, known]).toEqual([moment, comesAfter, (await generation()) ?? 0]);
    }
  }
});

it('removes the pace of a deleted connection, unless another one has an open import to the same tenant', async () => {
  await put({ since: NOW, sharers: { imp_1: NOW } });
  await deps.connections.insert(aConnection({ id: 'conn_2', customerId: 'cust_2' }));
  await deps.imports.openPointer({
    ...{ importId: 'imp_2', customerId: 'cust_2', connectionId: 'conn_2', openedAt: RECORDS_NOW },
  });
  await removePaceOf(deps, aConnection());
  expect(await generation()).toBe(7);
  await deps.imports.closePointer('imp_2');
  await removePaceOf(deps, aConnection());
  await removePaceOf(deps, aConnection());
  expect(await generation()).toBeUndefined();
});
