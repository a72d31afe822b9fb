import { beforeEach, expect, it } from 'vitest';
import type { ConnectionFinding } from '../../../../shared/causes/verdict.ts';
import type { ConnectionStore } from '../../../../shared/connections/connection-store.ts';
import { pauseForConnection } from '../../../../shared/imports/control/pause-import.ts';
import type { ImportStore } from '../../../../shared/imports/import-store.ts';
import { inMemoryConnections } from '../../../fakes/in-memory-connections.ts';
import { inMemoryImports } from '../../../fakes/in-memory-imports.ts';
import { aConnection, anImport } from '../../../support/records.ts';

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
  await connections.insert(aConnection({ grantsChangedAt: BEFORE, provenAt: TESTED }));
  await imports.insert(anImport({ epoch: 3 }));
});

const pause = (epoch: number, askedAt: Date) =>
  pauseForConnection({ imports, connections, clock: { now: () => AFTER } }, { ...target, epoch }, finding, askedAt);
const statuses = async () => [
  (await imports.get('cust_1', 'imp_1'))?.value.status,
  (await connections.get('cust_1', 'conn_1'))?.value.status,
];

it('pauses the import and marks the connection as failing if the request came after its last test', async () => {
  await pause(3, AFTER);
  expect(await statuses()).toEqual(['paused', 'failing']);
  expect((await imports.get('cust_1', 'imp_1'))?.value.finding).toMatchObject({ code: 'secret_expired' });
});

it('changes nothing for a check that began before the connection was fixed and the import resumed', async () => {
  await pause(1, BEFORE);
  expect(await statuses()).toEqual(['running', 'ready']);
});

it('marks the connection before it pauses the import, so that it cannot overwrite the result of a later test', async () => {
  const seen: unknown[] = [];
  const update = imports.update.bind(imports);
  imports.update = async (record, tag) => {
    seen.push(await statuses());
    return update(record, tag);
  };
  await pause(3, AFTER);
  expect(seen).toEqual([['running', 'failing']]);
});
