import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { deleteData, loadMemory, makeDataFolder, saveMemory } from '../../../local/data-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-data-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('remembers the operator key, the identity and the ports, but prefers a given key', async () => {
  const first = await loadMemory(folder, undefined);
  await saveMemory(folder, { ...first, ports: { ...first.ports, vault: 20_001 } });
  const second = await loadMemory(folder, undefined);
  expect(second).toEqual({ ...first, ports: { ...first.ports, vault: 20_001 } });
  const given = 'x'.repeat(32);
  expect((await loadMemory(folder, given)).operatorKey).toBe(given);
});

it('refuses a damaged memory, because a new operator key would lock everyone out without notice', async () => {
  await writeFile(join(folder, 'stack.json'), '{"operatorKey":');
  await expect(loadMemory(folder, undefined)).rejects.toThrow(/stack\.json cannot be read/);
});

it('deletes its own files and no others', async () => {
  await mkdir(join(folder, 'storage'));
  for (const name of ['vault.json', 'stack.json', 'thesis.docx']) await writeFile(join(folder, name), '');
  await deleteData(folder);
  expect(await readdir(folder)).toEqual(['thesis.docx']);
});

it('deletes the folders of killed stacks, and keeps those of running ones', async () => {
  const base = join(folder, '.muster');
  // Linux assigns process ids up to 4194304.
  for (const name of ['run-99999999-abc', `run-${process.pid}-abc`, 'storage'])
    await mkdir(join(base, name), { recursive: true });
  await makeDataFolder(undefined, folder);
  const left = (await readdir(base)).map((name) => name.replace(/[^-]+$/, ''));
  expect(left.sort()).toEqual(['', `run-${process.pid}-`, `run-${process.pid}-`]);
});
