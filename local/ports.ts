import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below the range of ports that systems use for outgoing connections. A port in that range could be taken when a stopped
 * part starts again, and a client that keeps trying a closed port there can even connect to itself.
 */
const FIRST = 15_000;
const LAST = 32_000;
const ATTEMPTS = 200;

/** Resolves to a free port of 127.0.0.1: the preferred one if it is free. 0 means no preference. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred && (await isFree(preferred))) return preferred;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${FIRST} and ${LAST}`);
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const free = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}
