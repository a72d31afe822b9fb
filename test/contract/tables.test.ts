import { TableClient, TableServiceClient } from '@azure/data-tables';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../local/ports.ts';
import { escapeKey } from '../../shared/adapters/tables/keys.ts';
import { purgePartition } from '../../shared/adapters/tables/purge-partition.ts';
import { tableAnswers } from '../../shared/adapters/tables/table-answers.ts';
import { tableApiKeys } from '../../shared/adapters/tables/table-api-keys.ts';
import { tableAudit } from '../../shared/adapters/tables/table-audit.ts';
import { createTableClients, type TableName } from '../../shared/adapters/tables/table-client.ts';
import { tableConnections } from '../../shared/adapters/tables/table-connections.ts';
import { tableConsents } from '../../shared/adapters/tables/table-consents.ts';
import { tableCustomers } from '../../shared/adapters/tables/table-customers.ts';
import { tableDeliveries } from '../../shared/adapters/tables/table-deliveries.ts';
import { tableDirectory } from '../../shared/adapters/tables/table-directory.ts';
import { tableExpiryIndex } from '../../shared/adapters/tables/table-expiry-index.ts';
import { tableHeartbeats } from '../../shared/adapters/tables/table-heartbeats.ts';
import { tableImports } from '../../shared/adapters/tables/table-imports.ts';
import { tableKeptUploads } from '../../shared/adapters/tables/table-kept-uploads.ts';
import { tableLedger } from '../../shared/adapters/tables/table-ledger.ts';
import { tableMessagePool } from '../../shared/adapters/tables/table-message-pool.ts';
import { tableOutbox } from '../../shared/adapters/tables/table-outbox.ts';
import { tablePoisonArchive } from '../../shared/adapters/tables/table-poison.ts';
import { tableProgressMarks } from '../../shared/adapters/tables/table-progress-marks.ts';
import { tableRemovalLease, tableRemovals } from '../../shared/adapters/tables/table-removals.ts';
import { tableReverifyWalks } from '../../shared/adapters/tables/table-reverify-walks.ts';
import { tableRunProgress } from '../../shared/adapters/tables/table-run-progress.ts';
import { tableSlots } from '../../shared/adapters/tables/table-slots.ts';
import { tableTenantPaces } from '../../shared/adapters/tables/table-tenant-paces.ts';
import { tableUploadLeases } from '../../shared/adapters/tables/table-upload-leases.ts';
import { tableWebhooks } from '../../shared/adapters/tables/table-webhooks.ts';
import { transactionFailure } from '../../shared/adapters/tables/transaction-failure.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { tables } from '../../shared/kernel/storage-names.ts';
import { inMemoryAnswers } from '../fakes/in-memory-answers.ts';
import { inMemoryApiKeys } from '../fakes/in-memory-api-keys.ts';
import { inMemoryAudit } from '../fakes/in-memory-audit.ts';
import { inMemoryConnections } from '../fakes/in-memory-connections.ts';
import { inMemoryConsents } from '../fakes/in-memory-consents.ts';
import { inMemoryCustomers } from '../fakes/in-memory-customers.ts';
import { inMemoryDeliveries } from '../fakes/in-memory-deliveries.ts';
import { inMemoryDirectory } from '../fakes/in-memory-directory.ts';
import { inMemoryExpiryIndex } from '../fakes/in-memory-expiry-index.ts';
import { inMemoryHeartbeats } from '../fakes/in-memory-heartbeats.ts';
import { inMemoryImports } from '../fakes/in-memory-imports.ts';
import { inMemoryKeptUploads } from '../fakes/in-memory-kept-uploads.ts';
import { inMemoryLedger } from '../fakes/in-memory-ledger.ts';
import { inMemoryMessagePool } from '../fakes/in-memory-message-pool.ts';
import { inMemoryOutbox } from '../fakes/in-memory-outbox.ts';
import { inMemoryPoisonArchive } from '../fakes/in-memory-poison-archive.ts';
import { inMemoryProgressMarks } from '../fakes/in-memory-progress-marks.ts';
import { inMemoryRemovals } from '../fakes/in-memory-removals.ts';
import { inMemoryReverifyWalks } from '../fakes/in-memory-reverify-walks.ts';
import { inMemoryRunProgress } from '../fakes/in-memory-run-progress.ts';
import { inMemorySlots } from '../fakes/in-memory-slots.ts';
import { inMemoryTenantPaces } from '../fakes/in-memory-tenant-paces.ts';
import { inMemoryUploadLeases } from '../fakes/in-memory-upload-leases.ts';
import { inMemoryWebhooks } from '../fakes/in-memory-webhooks.ts';
import { type Azurite, connectionString, startAzurite } from '../support/azurite.ts';
import { aConnection, anImport, aRow } from '../support/records.ts';
import { aDelivery, aWebhook } from '../support/webhook-records.ts';
import { describeAnswerMemory } from './answer-memory.contract.ts';
import { describeApiKeyStore } from './api-key-store.contract.ts';
import { describeAuditLog } from './audit-log.contract.ts';
import { describeConnectionStore } from './connection-store.contract.ts';
import { describeConsentStore } from './consent-store.contract.ts';
import { describeCustomerStore } from './customer-store.contract.ts';
import { describeDeliveryStore } from './delivery-store.contract.ts';
import { describeDirectoryStore } from './directory-store.contract.ts';
import { describeExpiryIndex } from './expiry-index.contract.ts';
import { describeHeartbeats } from './heartbeats.contract.ts';
import { describeImportStore } from './import-store.contract.ts';
import { describeKeptUploads } from './kept-uploads.contract.ts';
import { describeLedger } from './ledger.contract.ts';
import { describeMessagePoolStore } from './message-pool-store.contract.ts';
import { describeOutbox } from './outbox.contract.ts';
import { describePoisonArchive } from './poison-archive.contract.ts';
import { describeProgressMarks } from './progress-marks.contract.ts';
import { describeRemovalSchedule } from './removal-schedule.contract.ts';
import { describeReverifyWalks } from './reverify-walks.contract.ts';
import { describeRunProgress } from './run-progress.contract.ts';
import { describeSlots } from './slots.contract.ts';
import { describeTenantPaceStore } from './tenant-pace-store.contract.ts';
import { describeUploadLeases } from './upload-leases.contract.ts';
import { describeWebhookStore } from './webhook-store.contract.ts';

/** A well-formed tag that no record has. */
const TAG = 'W/"datetime\'x\'"';

let azurite: Azurite;
const clientsOf = (text: string) =>
  createTableClients({ kind: 'connectionString', connectionString: new Secret(text) });
const client = (name: TableName) => clientsOf(azurite.connectionString)(name);

beforeAll(async () => {
  azurite = await startAzurite('table');
  const service = TableServiceClient.fromConnectionString(azurite.connectionString, { allowInsecureConnection: true });
  await Promise.all(Object.values(tables).map((name) => service.createTable(name)));
});
afterAll(() => azurite?.stop());

describeSlots('in memory', inMemorySlots);
describeSlots('tables', () => tableSlots(client(tables.customers)));
describeCustomerStore('in memory', inMemoryCustomers);
describeCustomerStore('tables', () => tableCustomers(client(tables.customers)));
describeApiKeyStore('in memory', inMemoryApiKeys);
describeApiKeyStore('tables', () => tableApiKeys(client(tables.apiKeys)));
describeAuditLog('in memory', inMemoryAudit);
describeAuditLog('tables', () => tableAudit(client(tables.audit)));
describeAnswerMemory('in memory', inMemoryAnswers);
describeAnswerMemory('tables', () => tableAnswers(client(tables.idempotency)));

describeConnectionStore('in memory', inMemoryConnections);
describeConnectionStore('tables', () => tableConnections(client(tables.connections)));
describeExpiryIndex('in memory', inMemoryExpiryIndex);
describeExpiryIndex('tables', () => tableExpiryIndex(client(tables.connections)));
describeImportStore('in memory', inMemoryImports);
describeImportStore('tables', () => tableImports(client(tables.imports)));
describeTenantPaceStore('in memory', inMemoryTenantPaces);
describeTenantPaceStore('tables', () => tableTenantPaces(client(tables.imports)));
describeConsentStore('in memory', inMemoryConsents);
describeConsentStore('tables', () => tableConsents(client(tables.consents)));
describeReverifyWalks('in memory', inMemoryReverifyWalks);
describeReverifyWalks('tables', () => tableReverifyWalks(client(tables.mailboxes)));
describeRunProgress('in memory', inMemoryRunProgress);
describeRunProgress('tables', () => tableRunProgress(client(tables.imports), 'orphaned-secrets'));
describeMessagePoolStore('in memory', inMemoryMessagePool);
describeMessagePoolStore('tables', () => tableMessagePool(client(tables.imports)));
describeUploadLeases('in memory', inMemoryUploadLeases);
describeUploadLeases('tables', () => tableUploadLeases(client(tables.imports)));
describeRemovalSchedule('in memory', inMemoryRemovals);
describeRemovalSchedule('tables', () => tableRemovals(client(tables.imports)));
describeKeptUploads('in memory', inMemoryKeptUploads);
describeKeptUploads('tables', () => tableKeptUploads(client(tables.imports)));
describeDirectoryStore('in memory', inMemoryDirectory);
describeDirectoryStore('tables', () => tableDirectory(client(tables.directory)));
describeLedger('in memory', inMemoryLedger);
describeLedger('tables', () => tableLedger(client(tables.mailboxes)));

describe('the lease of removals: tables', () => {
  it('has one holder, and is not among the removals', async () => {
    const table = client(tables.imports);
    const lease = tableRemovalLease(table);
    const now = new Date();
    const until = new Date(now.getTime() + 60_000);
    const taken = await Promise.all(['a', 'b', 'c'].map((holder) => lease.take({ holder, until }, now)));
    expect(taken.filter((tag) => tag !== undefined)).toHaveLength(1);
    const due = await Array.fromAsync(tableRemovals(table).eachDue(new Date('2999-01-01T00:00:00Z')));
    expect(due.filter(({ kind }) => kind === undefined)).toEqual([]);
    const holder = ['a', 'b', 'c'][taken.findIndex((tag) => tag !== undefined)] ?? '';
    await lease.release({ holder, until }, taken.find((tag) => tag !== undefined) ?? '');
    expect(await lease.take({ holder: 'd', until }, now)).toEqual(expect.any(String));
  });
});
describeWebhookStore('in memory', inMemoryWebhooks);
describeWebhookStore('tables', () => tableWebhooks(client(tables.webhooks)));
describeDeliveryStore('in memory', inMemoryDeliveries);
describeDeliveryStore('tables', () => tableDeliveries(client(tables.webhooks)));
describeOutbox('in memory', inMemoryOutbox);
describeOutbox('tables', () => tableOutbox(client(tables.webhooks)));

describeHeartbeats('in memory', inMemoryHeartbeats);
describeHeartbeats('tables', () => tableHeartbeats(client(tables.heartbeats)));
describeProgressMarks('in memory', inMemoryProgressMarks);
describeProgressMarks('tables', () => tableProgressMarks(client(tables.heartbeats)));
describePoisonArchive('in memory', inMemoryPoisonArchive);
describePoisonArchive('tables', () => tablePoisonArchive(client(tables.poison)));

describe('table adapters', () => {
  it('store records under any escaped key', async () => {
    const table = client(tables.poison);
    for (const text of [
      'a/b\\c#d?e%f~g',
      "o'hara+x@ex ample.com",
      'ä€😀',
      '\u0001\u007f\u009f',
      '..',
      '%2F',
      '\ud800x',
    ]) {
      const keys = { partitionKey: escapeKey(text), rowKey: escapeKey(text) };
      await table.createEntity({ ...keys, text: 'x' });
      expect((await table.getEntity(keys.partitionKey, keys.rowKey)).text, text).toBe('x');
      await table.submitTransaction([['update', { ...keys, text: 'y' }, 'Merge', { etag: '*' }]]);
      await table.deleteEntity(keys.partitionKey, keys.rowKey);
    }
  });

  it('leave nothing of a customer behind when its webhooks are purged', async () => {
    const table = client(tables.webhooks);
    const customerId = 'cust_gone';
    const pointer = { customerId, webhookId: 'hook_1', deliveryId: 'evt_1', watchedAt: new Date() };
    await tableWebhooks(table).insert(aWebhook({ customerId }), 5);
    await tableDeliveries(table).insert(aDelivery({ customerId }));
    await tableDeliveries(table).openPointer(pointer);
    await tableOutbox(table).note({ customerId, source: 'import', id: 'imp_gone', notedAt: new Date() });
    await tableWebhooks(table).purge(customerId);
    const left = await Array.fromAsync(table.listEntities());
    expect(left.filter((entity) => JSON.stringify(entity).includes(customerId))).toEqual([]);
  });

  it('leave nothing of a customer behind that has no connections any more', async () => {
    const store = tableConnections(client(tables.connections));
    await store.insert(aConnection({ customerId: 'cust_gone' }), 5);
    await store.purge('cust_gone');
    const filter = "PartitionKey eq 'cust_gone'";
    const left = client(tables.connections).listEntities({ queryOptions: { filter } });
    expect(await Array.fromAsync(left)).toEqual([]);
  });

  it('return which part of a transaction failed and why', async () => {
    const table = client(tables.poison);
    const row = (rowKey: string) => ({ partitionKey: 'p', rowKey });
    await table.createEntity(row('1'));
    const attempt = async (action: Parameters<typeof table.submitTransaction>[0][number]) =>
      transactionFailure(
        await table.submitTransaction([['create', row('2')], ['create', row('3')], action]).catch((e) => e),
      );
    expect(await attempt(['create', row('1')])).toEqual({ index: 2, why: 'exists' });
    expect(await attempt(['update', row('1'), 'Merge', { etag: TAG }])).toEqual({
      index: 2,
      why: 'changed',
    });
    expect(await attempt(['update', row('9'), 'Merge', { etag: '*' }])).toEqual({ index: 2, why: 'absent' });
  });

  it('purge a partition or the matching rows, even if there are more than 1,000 and another caller purges too', async () => {
    const table = client(tables.poison);
    for (let from = 0; from < 1200; from += 100) {
      await table.submitTransaction(
        Array.from({ length: 100 }, (_, i) => [
          'create',
          { partitionKey: 'many', rowKey: `${from + i}`, parity: (from + i) % 2 },
        ]),
      );
    }
    const left = async () =>
      (await Array.fromAsync(table.listEntities({ queryOptions: { filter: "PartitionKey eq 'many'" } }))).length;
    await purgePartition(table, 'many', 'parity eq 1');
    expect(await left()).toBe(600);
    await Promise.all([purgePartition(table, 'many'), purgePartition(table, 'many')]);
    expect(await left()).toBe(0);
  });

  it('reject with storage_unavailable within three seconds if storage is unavailable', async () => {
    const clients = clientsOf(connectionString('table', `http://127.0.0.1:${await freePort()}`));
    const startedAt = performance.now();
    const expected = { code: 'storage_unavailable', retryAfterSeconds: 5 };
    await Promise.all([
      expect(tableCustomers(clients(tables.customers)).get('x')).rejects.toMatchObject(expected),
      expect(tableCustomers(clients(tables.customers)).list({ limit: 5 })).rejects.toMatchObject(expected),
      expect(tableCustomers(clients(tables.customers)).listDeleting()).rejects.toMatchObject(expected),
      expect(tableSlots(clients(tables.customers)).claim('x', 'y', 1)).rejects.toMatchObject(expected),
      expect(tableApiKeys(clients(tables.apiKeys)).purge('x')).rejects.toMatchObject(expected),
      expect(tableAnswers(clients(tables.idempotency)).removeExpired(new Date())).rejects.toMatchObject(expected),
      expect(
        tableLedger(clients(tables.mailboxes)).commit('x', [{ op: 'createRow', row: aRow() }]),
      ).rejects.toMatchObject(expected),
    ]);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  const row = { fromLine: 0, limit: 5 };
  const page = { limit: 5 };
  it.each<[string, (table: TableClient) => Promise<unknown>]>([
    ['get a customer', (table) => tableCustomers(table).get('x')],
    ['list customers', (table) => tableCustomers(table).list(page)],
    ['remove a customer', (table) => tableCustomers(table).remove('x')],
    ['update a connection', (table) => tableConnections(table).update(aConnection(), TAG)],
    ['get a connection', (table) => tableConnections(table).get('cust_1', 'conn_1')],
    ['insert a connection', (table) => tableConnections(table).insert(aConnection())],
    ['list all connections', (table) => Array.fromAsync(tableConnections(table).listAll())],
    ['list expiring secrets', (table) => tableExpiryIndex(table).list('x', { ...page, until: new Date() })],
    ['get an import', (table) => tableImports(table).get('cust_1', 'imp_1')],
    ['update an import', (table) => tableImports(table).update(anImport(), TAG)],
    ['purge imports', (table) => tableImports(table).purge('cust_1', 'conn_1')],
    ['list open imports', (table) => tableImports(table).listOpen()],
    ['get a row', (table) => tableLedger(table).getRow('conn_1', 'imp_1', 2)],
    ['find rows', (table) => tableLedger(table).findRows('conn_1', 'imp_1', row)],
    ['commit rows', (table) => tableLedger(table).commit('conn_1', [{ op: 'createRow', row: aRow() }])],
    ['purge a ledger', (table) => tableLedger(table).purge('conn_1')],
    ['claim slots', (table) => tableSlots(table).claim('cust_1', 'imp_1', 1)],
    ['get an API key', (table) => tableApiKeys(table).get('cust_1', 'key_1')],
    ['write an audit record', (table) => tableAudit(table).removeBefore(new Date(), 5)],
    ['remember an answer', (table) => tableAnswers(table).removeExpired(new Date())],
    ['use a consent link', (table) => tableConsents(table).use('hash', new Date())],
    ['read heartbeats', (table) => tableHeartbeats(table).list()],
    [
      'archive a message',
      (table) =>
        tablePoisonArchive(table).insert({ queue: 'q', key: 'k', message: {}, archivedAt: new Date(), state: 'open' }),
    ],
  ])('treat a missing table as a defect, never as an empty table: %s', async (_, call) => {
    const missing = TableClient.fromConnectionString(azurite.connectionString, 'nosuchtable', {
      allowInsecureConnection: true,
    });
    await expect(call(missing)).rejects.toThrow('lacks a table, container or queue: TableNotFound');
  });
});
