import { randomBytes } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { StartError } from './start-error.ts';

const ATTEMPTS = 5;
const ANSWER_MAX_MS = 1_000;

/**
 * Locks a folder, because two stacks would overwrite each other's data. Resolves to a function that unlocks it.
 *
 * The lock file contains a port and a random word. Its holder answers on that port with that word. So the lock of a
 * killed process does not count, not even if another process has its id now, which is usual in containers.
 *
 * @throws StartError while another stack holds the lock
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'start.lock');
  const word = randomBytes(16).toString('hex');
  const server = createServer((socket) => socket.on('error', () => undefined).end(word));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  const { port } = server.address() as AddressInfo;
  try {
    await claim(path, `${port} ${word}`, folder);
  } catch (error) {
    server.close();
    throw error;
  }
  return async () => {
    server.close();
    await rm(path, { force: true });
  };
}

async function claim(path: string, content: string, folder: string): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const isOurs = await writeFile(path, content, { flag: 'wx', mode: 0o600 }).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        return false;
      },
    );
    if (isOurs) return;
    const found = await readFile(path, 'utf8').catch(() => '');
    if (await isHeld(found)) break;
    // Another start may have claimed the folder in between, so only the same dead lock is removed.
    if ((await readFile(path, 'utf8').catch(() => '')) === found) await rm(path, { force: true });
  }
  throw new StartError(`Muster is already running on ${folder}. Stop it first, or choose another folder with --data.`);
}

async function isHeld(content: string): Promise<boolean> {
  const [port = '', word = ''] = content.split(' ');
  if (!/^\d+$/.test(port) || word === '') return false;
  return await new Promise((resolve) => {
    let heard = '';
    const socket = connect({ port: Number(port), host: '127.0.0.1' });
    const done = () => {
      socket.destroy();
      resolve(heard === word);
    };
    socket.setEncoding('utf8').setTimeout(ANSWER_MAX_MS, done);
    socket.on('data', (chunk) => {
      heard += chunk;
    });
    socket.once('end', done).once('error', done);
  });
}
