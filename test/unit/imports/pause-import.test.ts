import { beforeEach, expect, it } from 'vitest';
import type { ConnectionFinding } from '../../../shared/causes/verdict.ts';
import type { Connection } from '../../../shared/connections/connection.ts';
import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import { keepQuiet } from '../../../shared/connections/keep-quiet.ts';
import type { Import } from '../../../shared/imports/import.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import { pauseForConnection } from '../../../shared/imports/pause-import.ts';
import { inMemoryConnections } from '../../fakes/in-memory-connections.ts';
import { inMemoryImports } from '../../fakes/in-memory-imports.ts';

const BEFORE = new Date('2026-06-01T11:59:58Z');
const TESTED = new Date('2026-06-01T12:00:00Z');
const AFTER = new Date('2026-06-01T12:00:01Z');
const target = { customerId: 'cust_1', connectionId: 'conn_1', importId: 'imp_1' };
const finding: ConnectionFinding = { cause: 'secret_expired', detail: 'It has expired.', seenAt: AFTER };

let imports: ImportStore;
let connections: ConnectionStore;
beforeEach(async () => {
  imports = inMemoryImports();
  connections = inMemoryConnections();
  await connections.insert({
    id: 'conn_1',
    customerId: 'cust_1',
    status: 'ready',
    grantsChangedAt: BEFORE,
    provenAt: TESTED,
  } as Connection);
  await imports.insert({
    id: 'imp_1',
    customerId: 'cust_1',
    connectionId: 'conn_1',
    status: 'running',
    epoch: 3,
  } as Import);
});

const pause = (epoch: number, askedAt: Date) =>
  pauseForConnection({ imports, connections }, { ...target, epoch }, finding, askedAt);
const statuses = async () => [
  (await imports.get('cust_1', 'imp_1'))?.value.status,
  (await connections.get('cust_1', 'conn_1'))?.value.status,
];

it('pauses the import and marks the connection for what was asked after its last test', async () => {
  await pause(3, AFTER);
  expect(await statuses()).toEqual(['paused', 'failing']);
  expect((await imports.get('cust_1', 'imp_1'))?.value.finding).toMatchObject({ code: 'secret_expired' });
});

it('changes nothing for a check that was on its way while the connection was mended and the import resumed', async () => {
  await pause(1, BEFORE);
  expect(await statuses()).toEqual(['running', 'ready']);
});

it('marks the connection before the import shows that it paused, so that a test made then is not overtaken', async () => {
  const seen: unknown[] = [];
  const update = imports.update.bind(imports);
  imports.update = async (record, tag) => {
    seen.push(await statuses());
    return update(record, tag);
  };
  await pause(3, AFTER);
  expect(seen).toEqual([['running', 'failing']]);
});

it('keeps a connection quiet only for what was asked after its last test', async () => {
  const quietUntil = new Date('2026-06-01T12:35:00Z');
  const quiet = async (askedAt: Date) => {
    await keepQuiet({ connections }, 'cust_1', 'conn_1', quietUntil, askedAt);
    return (await connections.get('cust_1', 'conn_1'))?.value.quietUntil;
  };
  expect(await quiet(BEFORE)).toBeUndefined();
  expect(await quiet(AFTER)).toEqual(quietUntil);
});
