import { beforeEach, expect, it } from 'vitest';
import type { ConnectionStore } from '../../../../shared/connections/connection-store.ts';
import { holdChecks } from '../../../../shared/connections/grants/hold-checks.ts';
import { inMemoryConnections } from '../../../fakes/in-memory-connections.ts';
import { aConnection } from '../../../support/records.ts';

const BEFORE = new Date('2026-06-01T11:59:58Z');
const TESTED = new Date('2026-06-01T12:00:00Z');
const AFTER = new Date('2026-06-01T12:00:01Z');
const UNTIL = new Date('2026-06-01T12:35:00Z');
const EARLIER = new Date('2026-06-01T12:20:00Z');

let connections: ConnectionStore;
beforeEach(async () => {
  connections = inMemoryConnections();
  await connections.insert(aConnection({ provenAt: TESTED }));
});

const hold = async (until: Date, askedAt: Date) => {
  await holdChecks({ connections }, 'cust_1', 'conn_1', until, askedAt);
  return (await connections.get('cust_1', 'conn_1'))?.value.checksHeldUntil;
};

it('holds checks only if the refusal is newer than the last passed test', async () => {
  expect(await hold(UNTIL, BEFORE)).toBeUndefined();
  expect(await hold(UNTIL, AFTER)).toEqual(UNTIL);
});

it('never shortens a hold', async () => {
  await hold(UNTIL, AFTER);
  expect(await hold(EARLIER, AFTER)).toEqual(UNTIL);
});

it('does nothing if the connection has been removed', async () => {
  await connections.purge('cust_1');
  expect(await hold(UNTIL, AFTER)).toBeUndefined();
});
