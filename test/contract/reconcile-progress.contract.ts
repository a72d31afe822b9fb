import { expect, it } from 'vitest';
import type { ReconcileProgressStore } from '../../shared/imports/reconciling/reconcile-slots.ts';

/** What every ReconcileProgressStore promises. Runs against the fake and against Table Storage. */
export function describeReconcileProgress(name: string, open: () => ReconcileProgressStore): void {
  it(`ReconcileProgressStore: ${name} returns what was put, and replaces only what was read`, async () => {
    const store = open();
    const first = { holder: 'run-1', until: new Date('2026-06-01T00:11:00Z'), cursor: 'next' };
    expect(await store.get()).toBeUndefined();
    const tags = await Promise.all([store.put(first, undefined), store.put(first, undefined)]);
    const [tag] = tags.filter((one) => one !== undefined);
    expect(tags.filter((one) => one !== undefined)).toHaveLength(1);
    expect(await store.get()).toEqual({ value: first, tag });
    const next = await store.put({ cursor: 'last' }, tag);
    expect(await store.put(first, tag)).toBeUndefined();
    expect(await store.get()).toEqual({ value: { cursor: 'last' }, tag: next });
    expect(await store.put({}, next)).toBeDefined();
    expect((await store.get())?.value).toEqual({});
  });
}
