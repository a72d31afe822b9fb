import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { folderOf, forgetData, remember, saveMemory } from '../../../local/data-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-data-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('remembers the operator key, the identity and the ports; a key that is handed over wins', async () => {
  const first = await remember(folder, undefined);
  await saveMemory(folder, { ...first, ports: { ...first.ports, vault: 20_001 } });
  const second = await remember(folder, undefined);
  expect(second).toEqual({ ...first, ports: { ...first.ports, vault: 20_001 } });
  const given = 'x'.repeat(32);
  expect((await remember(folder, given)).operatorKey).toBe(given);
});

it('refuses a memory it cannot read, for a new operator key would lock everybody out without a word', async () => {
  await writeFile(join(folder, 'stack.json'), '{"operatorKey":');
  await expect(remember(folder, undefined)).rejects.toThrow(/stack\.json cannot be read/);
});

it('begins anew without touching what is not its own', async () => {
  await mkdir(join(folder, 'storage'));
  for (const name of ['vault.json', 'stack.json', 'thesis.docx']) await writeFile(join(folder, name), '');
  await forgetData(folder);
  expect(await readdir(folder)).toEqual(['thesis.docx']);
});

it('clears away what killed stacks left behind, and nothing of those that run', async () => {
  const base = join(folder, '.muster');
  // The highest id a Linux system gives is 4194304.
  for (const name of ['run-99999999-abc', `run-${process.pid}-abc`, 'storage'])
    await mkdir(join(base, name), { recursive: true });
  await folderOf(undefined, folder);
  const left = (await readdir(base)).map((name) => name.replace(/[^-]+$/, ''));
  expect(left.sort()).toEqual(['', `run-${process.pid}-`, `run-${process.pid}-`]);
});
