import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { keepAnsweringDuringCleanup } from '../../../local/azurite-cleanup.ts';

interface ExtentStore {
  init(): Promise<void>;
  close(): Promise<void>;
  updateExtent(extent: object): Promise<void>;
  deleteExtent(id: string): Promise<void>;
  listExtents(id: undefined, limit: number): Promise<[{ id: string }[], unknown]>;
}

const EXTENTS = 4_000;

test('Azurite deletes thousands of old messages in little time, and lets other work in between', async () => {
  keepAnsweringDuringCleanup();
  const path = 'azurite/dist/src/common/persistence/LokiExtentMetadataStore.js';
  const { default: Store }: { default: new (path: string, inMemory: boolean) => ExtentStore } = createRequire(
    import.meta.url,
  )(path);
  const store = new Store('extents', true);
  await store.init();
  const ids = Array.from({ length: EXTENTS }, () => crypto.randomUUID());
  for (const id of ids) await store.updateExtent({ id, size: 1, lastModifiedInMS: 0 });

  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const before = process.threadCpuUsage();
  for (const id of ids) await store.deleteExtent(id);
  const { user, system } = process.threadCpuUsage(before);
  clearInterval(timer);
  expect((user + system) / 1e6).toBeLessThan(3);
  expect(turns).toBeGreaterThan(5);
  expect((await store.listExtents(undefined, 10))[0]).toEqual([]);
  await store.close();
});
