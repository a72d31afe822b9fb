import { expect, it } from 'vitest';
import type { RunProgressStore } from '../../shared/kernel/resumable-run.ts';

/** What every RunProgressStore promises. Runs against the fake and against Table Storage. */
export function describeRunProgress(name: string, open: () => RunProgressStore): void {
  it(`RunProgressStore: ${name} returns what was put, and replaces only what was read`, async () => {
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
