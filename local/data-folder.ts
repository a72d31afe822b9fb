import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { isAlive } from './processes.ts';
import { StartError } from './start-error.ts';
import { writeWhole } from './write-whole.ts';

/** What a stack with surviving data remembers of itself. */
const remembered = z.object({
  ports: z.object({
    blob: z.int(),
    queue: z.int(),
    table: z.int(),
    vault: z.int(),
    simulator: z.int(),
  }),
  operatorKey: z.string().min(32),
  home: z.object({ tenantId: z.guid(), clientId: z.guid(), clientSecret: z.string().min(1) }),
});

export type Remembered = z.infer<typeof remembered>;

const MEMORY = 'stack.json';
/** All that a stack lays down in its folder; what else lies there is somebody's. */
const OURS = ['storage', 'vault.json', MEMORY, 'ca.pem', 'ca-key.pem', 'local.json'];

/** The folder of the data, or one under `.muster/` that goes with the stack. */
export async function folderOf(data: string | undefined, root: string): Promise<string> {
  const base = data ?? join(root, '.muster');
  await mkdir(base, { recursive: true, mode: 0o700 });
  if (data) return resolve(data);
  await removeAbandoned(base);
  return mkdtemp(join(base, `run-${process.pid}-`));
}

/** Begins anew. Only our own things go, so that a folder named by mistake loses nothing. */
export async function forgetData(folder: string): Promise<void> {
  for (const name of OURS) await rm(join(folder, name), { recursive: true, force: true });
}

/** What was remembered, and what a first start makes up. */
export async function remember(folder: string, operatorKey: string | undefined): Promise<Remembered> {
  const found = await readMemory(join(folder, MEMORY));
  return {
    // 0 is free everywhere: a first start has no ports to prefer.
    ports: found?.ports ?? { blob: 0, queue: 0, table: 0, vault: 0, simulator: 0 },
    operatorKey: operatorKey ?? found?.operatorKey ?? randomBytes(32).toString('base64url'),
    home: found?.home ?? {
      tenantId: randomUUID(),
      clientId: randomUUID(),
      clientSecret: randomBytes(30).toString('base64url'),
    },
  };
}

export async function saveMemory(folder: string, memory: Remembered): Promise<void> {
  await writeWhole(join(folder, MEMORY), JSON.stringify(memory, undefined, 2), 0o600);
}

async function readMemory(path: string): Promise<Remembered | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return remembered.parse(JSON.parse(text));
  } catch {
    // Made up anew, the operator's key would change without a word.
    throw new StartError(`${path} cannot be read: mend it, or start with --fresh, which loses the data beside it.`);
  }
}

/** Folders of stacks that were killed before they could take theirs along. */
async function removeAbandoned(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    const pid = Number(/^run-(\d+)-/.exec(name)?.[1]);
    if (pid && !isAlive(pid)) await rm(join(base, name), { recursive: true, force: true });
  }
}
