import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { isAlive } from './processes.ts';
import { StartError } from './start-error.ts';
import { writeAtomically } from './write-atomically.ts';

/** What a stack that keeps its data remembers between two starts. */
const stackMemory = z.object({
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

export type StackMemory = z.infer<typeof stackMemory>;

const MEMORY_FILE = 'stack.json';
/** Everything that a stack writes into its folder. Other files there belong to the user. */
const STACK_FILES = ['storage', 'vault.json', MEMORY_FILE, 'ca.pem', 'ca-key.pem', 'local.json'];

/** Resolves to the folder for the data: the given one, or a temporary one under `.muster/`. */
export async function makeDataFolder(data: string | undefined, root: string): Promise<string> {
  const base = data ?? join(root, '.muster');
  await mkdir(base, { recursive: true, mode: 0o700 });
  if (data) return resolve(data);
  await removeAbandoned(base);
  return mkdtemp(join(base, `run-${process.pid}-`));
}

/** Deletes what a stack has written. Other files stay, in case the user named the wrong folder. */
export async function deleteData(folder: string): Promise<void> {
  for (const name of STACK_FILES) await rm(join(folder, name), { recursive: true, force: true });
}

/** Reads the memory of the last start. A first start gets a new key and a new identity. */
export async function loadMemory(folder: string, operatorKey: string | undefined): Promise<StackMemory> {
  const found = await readMemory(join(folder, MEMORY_FILE));
  return {
    // A first start has no preferred ports. 0 means any free port.
    ports: found?.ports ?? { blob: 0, queue: 0, table: 0, vault: 0, simulator: 0 },
    operatorKey: operatorKey ?? found?.operatorKey ?? randomBytes(32).toString('base64url'),
    home: found?.home ?? {
      tenantId: randomUUID(),
      clientId: randomUUID(),
      clientSecret: randomBytes(30).toString('base64url'),
    },
  };
}

export async function saveMemory(folder: string, memory: StackMemory): Promise<void> {
  await writeAtomically(join(folder, MEMORY_FILE), JSON.stringify(memory, undefined, 2), 0o600);
}

async function readMemory(path: string): Promise<StackMemory | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return stackMemory.parse(JSON.parse(text));
  } catch {
    // A new memory would change the operator key without notice.
    throw new StartError(`${path} cannot be read. Repair it, or delete all data by starting with --fresh.`);
  }
}

/** Deletes the folders of stacks that were killed before they could do so. */
async function removeAbandoned(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    const pid = Number(/^run-(\d+)-/.exec(name)?.[1]);
    if (pid && !isAlive(pid)) await rm(join(base, name), { recursive: true, force: true });
  }
}
