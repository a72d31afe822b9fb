import type { DirectoryEntry } from '../../shared/directory/directory-entry.ts';
import { type ReadDirectoryDeps, readDirectory } from '../../shared/directory/read-directory.ts';
import { refreshDirectory, sweepDirectories } from '../../shared/directory/refresh-directory.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { inMemoryConnections } from '../fakes/in-memory-connections.ts';
import { inMemoryDirectory } from '../fakes/in-memory-directory.ts';
import { inMemoryTenantPaces } from '../fakes/in-memory-tenant-paces.ts';
import { simulatedUsers } from '../fakes/simulated-users.ts';
import { aConnection } from './records.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const MINUTE_MS = 60_000;

/** A connection whose tenant has a directory, and the queue of its messages. The clock moves when somebody waits. */
export async function createDirectoryWorld() {
  const time = { now: NOW };
  const clock = { now: () => time.now };
  const pass = (ms: number) => {
    time.now = new Date(time.now.getTime() + ms);
  };
  const connections = inMemoryConnections();
  const connection = aConnection({ status: 'ready' });
  await connections.insert(connection);
  const directory = inMemoryDirectory();
  const tenantUsers = simulatedUsers();
  const messages: { dueAt: number }[] = [];
  const tenantPaces = inMemoryTenantPaces();
  let rounds = 0;
  const tokens = { asked: 0, forgotten: 0 };
  const deps: ReadDirectoryDeps = {
    connections,
    directory,
    tenantUsers,
    tenantPaces,
    tokens: {
      async get() {
        tokens.asked++;
        const claims = { roles: ['User.Read.All'] };
        return { granted: true, value: { token: new Secret('t'), expiresAt: NOW, claims } };
      },
      forget: () => void tokens.forgotten++,
    },
    async sendDirectory(_message, delayMs = 0) {
      messages.push({ dueAt: time.now.getTime() + delayMs });
    },
    directoryLimits: { leaseMs: 90_000, shiftMs: 240_000, giveUpAfterMs: 86_400_000, keptMs: 30 * 86_400_000 },
    newRound: () => `round-${++rounds}`,
    sleep: async (ms) => pass(ms),
    clock,
  };
  const message = { customerId: connection.customerId, connectionId: connection.id };

  const world = {
    deps,
    time,
    pass,
    connection,
    directory,
    tenantUsers,
    tenantPaces,
    messages,
    tokens,
    message,
    refresh: () => refreshDirectory(deps, connection),
    /** One delivery, whatever is on the queue. */
    deliver: () => readDirectory(deps, message),
    /** Delivers messages, and waits for delayed ones and for the sweep, until the read has ended. */
    async untilRead(): Promise<void> {
      for (let minutes = 0; (await world.record())?.read; minutes++) {
        if (minutes > 3 * 24 * 60) throw new Error('the directory is never read');
        const next = messages.sort((a, b) => a.dueAt - b.dueAt).shift();
        if (!next) {
          pass(MINUTE_MS);
          await sweepDirectories(deps);
          continue;
        }
        if (next.dueAt > time.now.getTime()) time.now = new Date(next.dueAt);
        await world.deliver().catch(() => undefined);
      }
    },
    record: async () => (await directory.get(connection.id))?.value,
    async entries(): Promise<DirectoryEntry[]> {
      return (await directory.list(connection.id, { limit: 10_000 }, {})).items;
    },
    addresses: async () => (await world.entries()).map(({ address }) => address),
  };
  return world;
}

/** A user with a licence, or what is given. */
export const aUser = (name: string, more: object = {}) => ({
  id: `id-${name}`,
  primaryAddress: `${name}@contoso.example`,
  displayName: name,
  ...more,
});
