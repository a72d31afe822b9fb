import { describe, expect, it } from 'vitest';
import { newTenantPace, type TenantPace, type TenantPaceStore } from '../../shared/imports/pacing/tenant-pace.ts';

let serial = 0;

/** What every TenantPaceStore promises. Runs against the fake and against Table Storage. */
export function describeTenantPaceStore(name: string, open: () => TenantPaceStore): void {
  describe(`TenantPaceStore: ${name}`, () => {
    const aPace = (): TenantPace => ({
      ...newTenantPace(`global 5a1c6f3e app/${++serial}`),
      limit: 117.25,
      cutAt: 1_790_000_000_123,
      probe: { importId: 'imp_1', sentAt: 1_790_000_000_000 },
      sharers: { imp_1: 1_790_000_015_000 },
    });

    it('has nothing for a tenant that was never paced', async () => {
      expect(await open().get('global unknown app')).toBeUndefined();
    });

    it('returns what was put, and replaces only what was read', async () => {
      const store = open();
      const first = aPace();
      const tag = await store.put(first, undefined);
      expect(await store.get(first.tenant)).toEqual({ value: first, tag });
      const { probe: _gone, ...rest } = first;
      const second: TenantPace = { ...rest, mode: 'paced', limit: 120, generation: 2 };
      const next = await store.put(second, tag);
      expect(await store.put({ ...first, mode: 'down' }, tag)).toBeUndefined();
      expect(await store.get(first.tenant)).toEqual({ value: second, tag: next });
    });

    it('lists all paces, and removes only what was read', async () => {
      const store = open();
      const paces = [aPace(), aPace()];
      const tags: (string | undefined)[] = [];
      for (const pace of paces) tags.push(await store.put(pace, undefined));
      const ours = (await Array.fromAsync(store.each())).filter(({ value }) =>
        paces.some(({ tenant }) => tenant === value.tenant),
      );
      expect(ours).toHaveLength(2);
      expect(ours).toEqual(expect.arrayContaining(paces.map((value, i) => ({ value, tag: tags[i] }))));
      const [first] = paces as [TenantPace, TenantPace];
      const changed = (await store.put({ ...first, isRetired: true }, tags[0])) ?? '';
      expect(await store.remove(first.tenant, tags[0] ?? '')).toBe(false);
      expect(await store.remove(first.tenant, changed)).toBe(true);
      expect(await store.remove(first.tenant, changed)).toBe(false);
      expect(await store.get(first.tenant)).toBeUndefined();
    });

    it('lets one of two writers create a pace', async () => {
      const store = open();
      const pace = aPace();
      const tags = await Promise.all([store.put(pace, undefined), store.put(pace, undefined)]);
      expect(tags.filter((tag) => tag !== undefined)).toHaveLength(1);
    });
  });
}
