import type { PipelinePolicy } from '@azure/core-rest-pipeline';
import { type TableClient, TableServiceClient } from '@azure/data-tables';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { tableAnswers } from '../../shared/adapters/tables/table-answers.ts';
import { tableApiKeys } from '../../shared/adapters/tables/table-api-keys.ts';
import { createTableClients, type TableName } from '../../shared/adapters/tables/table-client.ts';
import { tableConnections } from '../../shared/adapters/tables/table-connections.ts';
import { tableConsents } from '../../shared/adapters/tables/table-consents.ts';
import { tableCustomers } from '../../shared/adapters/tables/table-customers.ts';
import { tableImports } from '../../shared/adapters/tables/table-imports.ts';
import { tableSlots } from '../../shared/adapters/tables/table-slots.ts';
import { answerOnce } from '../../shared/edge/answers/idempotency.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { tables } from '../../shared/kernel/storage-names.ts';
import { type Azurite, startAzurite } from '../support/azurite.ts';
import { aConnection, aCustomer, anApiKey, anImport, RECORDS_NOW } from '../support/records.ts';

let azurite: Azurite;
beforeAll(async () => {
  azurite = await startAzurite('table');
  const service = TableServiceClient.fromConnectionString(azurite.connectionString, { allowInsecureConnection: true });
  await Promise.all(Object.values(tables).map((name) => service.createTable(name)));
});
afterAll(() => azurite?.stop());

/** A client whose first write is committed, but its answer is lost. The SDK then sends the write again. */
function losingFirstAnswer(name: TableName): { table: TableClient; writes: () => number } {
  const open = createTableClients({
    kind: 'connectionString',
    connectionString: new Secret(azurite.connectionString),
  });
  const table = open(name);
  let writes = 0;
  const policy: PipelinePolicy = {
    name: 'loseFirstAnswer',
    async sendRequest(request, next) {
      const response = await next(request);
      if (request.method === 'GET' || ++writes > 1) return response;
      return { ...response, status: 503, bodyAsText: '' };
    },
  };
  table.pipeline.addPolicy(policy, { phase: 'Sign' });
  return { table, writes: () => writes };
}

it.each<[string, TableName, (table: TableClient) => Promise<unknown>]>([
  ['an import', tables.imports, (table) => tableImports(table).insert(anImport())],
  ['a connection', tables.connections, (table) => tableConnections(table).insert(aConnection())],
  ['a customer', tables.customers, (table) => tableCustomers(table).insert(aCustomer())],
  ['a plan', tables.customers, (table) => tableSlots(table).open('cust_1', 5)],
  ['an API key', tables.apiKeys, (table) => tableApiKeys(table).insert(anApiKey(), 9)],
  [
    'a consent link',
    tables.consents,
    (table) =>
      tableConsents(table).insert({
        step: 'consent',
        stateHash: 'hash',
        customerId: 'cust_1',
        connectionId: 'conn_1',
        expiresAt: RECORDS_NOW,
      }),
  ],
  [
    'a request with an Idempotency-Key',
    tables.idempotency,
    (table) =>
      answerOnce(
        { answers: tableAnswers(table), clock: { now: () => RECORDS_NOW } },
        {
          owner: 'cust_1',
          id: 'id',
          fingerprint: 'f',
          drain: async () => 'f',
          fingerprintAfterwards: () => 'f',
          lockMs: 60_000,
          rememberedMs: 60_000,
          redact: [],
        },
        () => undefined,
        async () => ({ status: 201, headers: {} }),
      ),
  ],
])('%s is inserted although the answer was lost and the SDK repeats the write', async (_, name, insert) => {
  const { table, writes } = losingFirstAnswer(name);
  await insert(table);
  expect(writes()).toBeGreaterThan(1);
});
