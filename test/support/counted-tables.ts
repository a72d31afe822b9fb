import { createHttpHeaders, type PipelinePolicy } from '@azure/core-rest-pipeline';
import { TableServiceClient } from '@azure/data-tables';
import { tableAlertSettings } from '../../shared/adapters/tables/table-alert-settings.ts';
import { tableAnswers } from '../../shared/adapters/tables/table-answers.ts';
import { tableApiKeys } from '../../shared/adapters/tables/table-api-keys.ts';
import { createTableClients, type TableName } from '../../shared/adapters/tables/table-client.ts';
import { tableConnections } from '../../shared/adapters/tables/table-connections.ts';
import { tableConsents } from '../../shared/adapters/tables/table-consents.ts';
import { tableCustomers } from '../../shared/adapters/tables/table-customers.ts';
import { tableDeliveries } from '../../shared/adapters/tables/table-deliveries.ts';
import { tableDirectory } from '../../shared/adapters/tables/table-directory.ts';
import { tableExpiryIndex } from '../../shared/adapters/tables/table-expiry-index.ts';
import { tableHeartbeats } from '../../shared/adapters/tables/table-heartbeats.ts';
import { tableImports } from '../../shared/adapters/tables/table-imports.ts';
import { tableLedger } from '../../shared/adapters/tables/table-ledger.ts';
import { tablePoisonArchive } from '../../shared/adapters/tables/table-poison.ts';
import { tableProgressMarks } from '../../shared/adapters/tables/table-progress-marks.ts';
import { tableSlots } from '../../shared/adapters/tables/table-slots.ts';
import { tableWebhooks } from '../../shared/adapters/tables/table-webhooks.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { tables } from '../../shared/kernel/storage-names.ts';

/** Requests that storage has received. */
interface Counter {
  requests: number;
  /** Those of them that may change something. */
  writes: number;
  /** The most requests that were under way at the same time. */
  concurrent: number;
  /**
   * Storage scans and finds nothing yet: it answers every query that filters by more than keys with an empty page and a
   * continuation token, as it does after five seconds of scanning.
   */
  isScanning: boolean;
}

const FILTERS_BY_MORE_THAN_KEYS = /\b(?!PartitionKey|RowKey)\w+ (?:eq|ne|lt|le|gt|ge) /;

function countingPolicy(counter: Counter): PipelinePolicy {
  let underWay = 0;
  return {
    name: 'countRequests',
    async sendRequest(request, next) {
      counter.requests++;
      if (request.method !== 'GET') counter.writes++;
      counter.concurrent = Math.max(counter.concurrent, ++underWay);
      try {
        const filter = new URL(request.url).searchParams.get('$filter') ?? '';
        if (!counter.isScanning || !FILTERS_BY_MORE_THAN_KEYS.test(filter)) return await next(request);
        const headers = createHttpHeaders({
          'content-type': 'application/json',
          'x-ms-continuation-nextpartitionkey': 'p',
          'x-ms-continuation-nextrowkey': 'r',
        });
        return { request, status: 200, headers, bodyAsText: '{"value":[]}' };
      } finally {
        underWay--;
      }
    },
  };
}

/** Every store over the tables of one account, with a count of the requests that they make together. */
export async function openCountedTables(connectionString: string) {
  const service = TableServiceClient.fromConnectionString(connectionString, { allowInsecureConnection: true });
  await Promise.all(Object.values(tables).map((name) => service.createTable(name)));
  const counter: Counter = { requests: 0, writes: 0, concurrent: 0, isScanning: false };
  const open = createTableClients({ kind: 'connectionString', connectionString: new Secret(connectionString) });
  const policy = countingPolicy(counter);
  const table = (name: TableName) => {
    const client = open(name);
    client.pipeline.addPolicy(policy, { phase: 'Sign' });
    return client;
  };
  return {
    counter,
    table,
    stores: {
      alertSettings: tableAlertSettings(table(tables.webhooks)),
      answers: tableAnswers(table(tables.idempotency)),
      apiKeyStore: tableApiKeys(table(tables.apiKeys)),
      connections: tableConnections(table(tables.connections)),
      consents: tableConsents(table(tables.consents)),
      customers: tableCustomers(table(tables.customers)),
      deliveries: tableDeliveries(table(tables.webhooks)),
      directory: tableDirectory(table(tables.directory)),
      expiryIndex: tableExpiryIndex(table(tables.connections)),
      progressMarks: tableProgressMarks(table(tables.heartbeats)),
      poisonArchive: tablePoisonArchive(table(tables.poison)),
      heartbeats: tableHeartbeats(table(tables.heartbeats)),
      imports: tableImports(table(tables.imports)),
      ledger: tableLedger(table(tables.mailboxes)),
      slots: tableSlots(table(tables.customers)),
      webhooks: tableWebhooks(table(tables.webhooks)),
    },
  };
}
