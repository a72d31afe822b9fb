import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../local/ports.ts';
import { escapeKey } from '../../shared/adapters/tables/keys.ts';
import { purgePartition } from '../../shared/adapters/tables/purge-partition.ts';
import { tableAnswers } from '../../shared/adapters/tables/table-answers.ts';
import { tableApiKeys } from '../../shared/adapters/tables/table-api-keys.ts';
import { createTableClients, type TableName } from '../../shared/adapters/tables/table-client.ts';
import { tableConnections } from '../../shared/adapters/tables/table-connections.ts';
import { tableCustomers } from '../../shared/adapters/tables/table-customers.ts';
import { transactionFailure } from '../../shared/adapters/tables/table-errors.ts';
import { tableHeartbeats } from '../../shared/adapters/tables/table-heartbeats.ts';
import { tableImports } from '../../shared/adapters/tables/table-imports.ts';
import { tableLedger } from '../../shared/adapters/tables/table-ledger.ts';
import { tableSlots } from '../../shared/adapters/tables/table-slots.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { tables } from '../../shared/kernel/storage-names.ts';
import { inMemoryAnswers } from '../fakes/in-memory-answers.ts';
import { inMemoryApiKeys } from '../fakes/in-memory-api-keys.ts';
import { inMemoryConnections } from '../fakes/in-memory-connections.ts';
import { inMemoryCustomers } from '../fakes/in-memory-customers.ts';
import { inMemoryImports } from '../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../fakes/in-memory-ledger.ts';
import { inMemorySlots } from '../fakes/in-memory-slots.ts';
import { type AzuriteTables, startAzuriteTables } from '../support/azurite-tables.ts';
import { describeAnswerMemory } from './answer-memory.contract.ts';
import { describeApiKeyStore } from './api-key-store.contract.ts';
import { describeConnectionStore } from './connection-store.contract.ts';
import { describeCustomerStore } from './customer-store.contract.ts';
import { describeImportStore } from './import-store.contract.ts';
import { describeLedger } from './ledger.contract.ts';
import { describeSlots } from './slots.contract.ts';

let azurite: AzuriteTables;
const client = (name: TableName) =>
  createTableClients({ kind: 'connectionString', connectionString: azurite.connectionString })(name);

beforeAll(async () => {
  azurite = await startAzuriteTables(Object.values(tables));
});
afterAll(() => azurite?.stop());

describeSlots('in memory', inMemorySlots);
describeSlots('tables', () => tableSlots(client(tables.customers)));
describeCustomerStore('in memory', inMemoryCustomers);
describeCustomerStore('tables', () => tableCustomers(client(tables.customers)));
describeApiKeyStore('in memory', inMemoryApiKeys);
describeApiKeyStore('tables', () => tableApiKeys(client(tables.apiKeys)));
describeAnswerMemory('in memory', inMemoryAnswers);
describeAnswerMemory('tables', () => tableAnswers(client(tables.idempotency)));

describeConnectionStore('in memory', inMemoryConnections);
describeConnectionStore('tables', () => tableConnections(client(tables.connections)));
describeImportStore('in memory', inMemoryImports);
describeImportStore('tables', () => tableImports(client(tables.imports)));
describeLedger('in memory', inMemoryLedger);
describeLedger('tables', () => tableLedger(client(tables.mailboxes)));

describe('heartbeats: tables', () => {
  it('tells the latest of all timers', async () => {
    const heartbeats = tableHeartbeats(client(tables.heartbeats));
    expect(await heartbeats.latest()).toBeUndefined();
    await heartbeats.beat('sweep', new Date(2_000));
    await heartbeats.beat('expiry', new Date(1_000));
    await heartbeats.beat('sweep', new Date(3_000));
    expect(await heartbeats.latest()).toEqual(new Date(3_000));
  });
});

describe('what every table adapter stands on', () => {
  it('stores under any key that has been escaped', async () => {
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

  it('says which part of a transaction met what', async () => {
    const table = client(tables.poison);
    const row = (rowKey: string) => ({ partitionKey: 'p', rowKey });
    await table.createEntity(row('1'));
    const attempt = async (action: Parameters<typeof table.submitTransaction>[0][number]) =>
      transactionFailure(
        await table.submitTransaction([['create', row('2')], ['create', row('3')], action]).catch((e) => e),
      );
    expect(await attempt(['create', row('1')])).toEqual({ index: 2, why: 'exists' });
    expect(await attempt(['update', row('1'), 'Merge', { etag: 'W/"datetime\'x\'"' }])).toEqual({
      index: 2,
      why: 'changed',
    });
    expect(await attempt(['update', row('9'), 'Merge', { etag: '*' }])).toEqual({ index: 2, why: 'absent' });
  });

  it('empties a partition of more rows than fit one transaction', async () => {
    const table = client(tables.poison);
    for (let from = 0; from < 250; from += 50) {
      await table.submitTransaction(
        Array.from({ length: 50 }, (_, i) => ['create', { partitionKey: 'many', rowKey: `${from + i}` }] as const).map(
          ([op, row]) => [op, row],
        ),
      );
    }
    await purgePartition(table, 'many');
    const pages = table.listEntities({ queryOptions: { filter: "PartitionKey eq 'many'" } });
    for await (const row of pages) expect(row).toBeUndefined();
  });

  it('says storage_unavailable within three seconds when storage is away', async () => {
    const port = await freePort();
    const away = new Secret(
      azurite.connectionString
        .reveal()
        .replace(/TableEndpoint=http:\/\/127\.0\.0\.1:\d+/, `TableEndpoint=http://127.0.0.1:${port}`),
    );
    const clients = createTableClients({ kind: 'connectionString', connectionString: away });
    const startedAt = performance.now();
    const expected = { code: 'storage_unavailable', retryAfterSeconds: 5 };
    await Promise.all([
      expect(tableCustomers(clients(tables.customers)).get('x')).rejects.toMatchObject(expected),
      expect(tableCustomers(clients(tables.customers)).list({ limit: 5 })).rejects.toMatchObject(expected),
      expect(tableSlots(clients(tables.customers)).claim('x', 'y', 1)).rejects.toMatchObject(expected),
      expect(tableApiKeys(clients(tables.apiKeys)).purge('x')).rejects.toMatchObject(expected),
      expect(tableAnswers(clients(tables.idempotency)).removeExpired(new Date())).rejects.toMatchObject(expected),
    ]);
    expect(performance.now() - startedAt).toBeLessThan(3_000);
  });

  it('takes a missing table for a defect, never for an empty one', async () => {
    const table = client('nosuchtable' as TableName);
    await expect(tableCustomers(table).get('x')).rejects.toMatchObject({ statusCode: 404 });
    await expect(tableCustomers(table).remove('x')).rejects.toMatchObject({ statusCode: 404 });
  });
});
