import { expect, it } from 'vitest';
import type { ReverifyWalks } from '../../shared/imports/reverifying/reverify-walk.ts';

/** What every ReverifyWalks promises. Runs against the fake and against Table Storage. */
export function describeReverifyWalks(name: string, open: () => ReverifyWalks): void {
  it(`ReverifyWalks: ${name} returns what was put, and replaces only what was read`, async () => {
    const store = open();
    const at = new Date('2026-06-01T00:00:00Z');
    const walk = {
      serial: 1,
      startedAt: at,
      movedAt: at,
      actionId: 'act_1',
      hasPostponed: true,
      cursor: 'next',
    } as const;
    expect(await store.get('conn_walks')).toBeUndefined();
    const tags = await Promise.all([1, 2].map(() => store.put('conn_walks', walk, undefined)));
    const [tag] = tags.filter((one) => one !== undefined);
    expect(tags.filter((one) => one !== undefined)).toHaveLength(1);
    expect(await store.get('conn_walks')).toEqual({ value: walk, tag });
    const { cursor: _over, ...ended } = { ...walk, serial: 2 };
    expect(await store.put('conn_walks', ended, tag)).toBeDefined();
    expect(await store.put('conn_walks', walk, tag)).toBeUndefined();
    expect((await store.get('conn_walks'))?.value).toEqual(ended);
    expect(await store.get('conn_other')).toBeUndefined();
    expect(await store.put('conn_other', walk, 'W/"gone"')).toBeUndefined();
  });
}
