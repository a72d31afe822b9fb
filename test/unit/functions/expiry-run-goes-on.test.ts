import { InvocationContext, type Timer, type TimerHandler } from '@azure/functions';
import { beforeEach, expect, it } from 'vitest';
import { addFindExpiringSecretsTimer } from '../../../functions/timers/find-expiring-secrets.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import { createApiDeps } from '../../support/api.ts';
import { aClientSecret, aConnection } from '../../support/records.ts';

const unavailable = () => new DomainError('storage_unavailable', 'Storage is unavailable.');
const expiresAt = new Date('2026-06-08T00:00:00Z');

let deps: ReturnType<typeof createApiDeps>;
let lines: string[];

beforeEach(async () => {
  deps = createApiDeps();
  lines = [];
  const { createdAt } = aConnection();
  for (const id of ['conn_1', 'conn_2', 'conn_3']) {
    const connection = aConnection({ id, credential: aClientSecret({ expiresAt }), clientId: id });
    await deps.connections.insert({ ...connection, createdAt });
  }
});

/** One run of the daily timer. */
async function run(): Promise<void> {
  let handler: TimerHandler = () => undefined;
  const host = {
    timer(_name: string, options: { handler: TimerHandler }) {
      handler = options.handler;
    },
  };
  addFindExpiringSecretsTimer(host as never, deps);
  const context = new InvocationContext({
    functionName: 'find-expiring-secrets',
    logHandler: (_level, ...args) => void lines.push(String(args[0])),
  });
  await handler({ isPastDue: false } as Timer, context);
}

async function toldAbout(): Promise<string[]> {
  const all = await Array.fromAsync(deps.connections.listAll());
  return all
    .filter(({ happenings = [] }) => happenings.length > 0)
    .map(({ id }) => id)
    .sort();
}

const failures = () => lines.filter((line) => line.includes('expiry_not_checked')).map((line) => JSON.parse(line));

it('people are told of every other secret if the record of one connection cannot be read or written', async () => {
  const { get } = deps.connections;
  deps.connections.get = async (customerId, id) => {
    if (id === 'conn_2') throw unavailable();
    return get(customerId, id);
  };
  await run();
  deps.connections.get = get;
  expect(await toldAbout()).toEqual(['conn_1', 'conn_3']);
  expect(failures()).not.toEqual([]);
  for (const failure of failures()) expect(failure).toMatchObject({ customerId: 'cust_1', connectionId: 'conn_2' });
});

it('people are told if the part of the run before has failed, and the run counts as failed', async () => {
  deps.expiryIndex.put = async () => {
    throw unavailable();
  };
  deps.customers.list = async () => {
    throw unavailable();
  };
  await expect(run()).rejects.toThrow('Storage is unavailable.');
  expect(await toldAbout()).toEqual(['conn_1', 'conn_2', 'conn_3']);
  expect(lines.some((line) => line.includes('timer_failed'))).toBe(true);
});
