import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockFolder } from '../../../local/lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-lock-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('is held by one stack at a time, and free after it is unlocked', async () => {
  const unlock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow(`Muster is already running on ${folder}`);
  await unlock();
  expect(await readdir(folder)).toEqual([]);
  await (await lockFolder(folder))();
});

it('lets exactly one of many simultaneous attempts succeed', async () => {
  const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)));
  const holders = attempts.filter((attempt) => attempt.status === 'fulfilled');
  expect(holders).toHaveLength(1);
  await holders[0]?.value();
});

// Another program may have taken the port. In a container, even the process id can be the same.
it.each(['', 'gibberish', '1 word', `${process.pid}`])(
  'ignores a lock that a killed process left behind: "%s"',
  async (left) => {
    await writeFile(join(folder, 'start.lock'), left);
    await (await lockFolder(folder))();
  },
);
