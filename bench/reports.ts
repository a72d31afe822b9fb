import { setTimeout as pause } from 'node:timers/promises';
import { odata, type TableClient } from '@azure/data-tables';
import type { RequestCount } from '../local/request-count.ts';
import { createTableClients } from '../shared/adapters/tables/table-client.ts';
import { tableImports } from '../shared/adapters/tables/table-imports.ts';
import { tableLedger } from '../shared/adapters/tables/table-ledger.ts';
import type { Import } from '../shared/imports/import.ts';
import type { Row as ImportRow } from '../shared/imports/ledger/row.ts';
import { Secret } from '../shared/kernel/secret.ts';
import { tables } from '../shared/kernel/storage-names.ts';
import { residentMb } from '../test/support/resident-memory.ts';
import { type BenchCustomer, type BenchStack, startBenchStack, sumOf } from './support/bench-stack.ts';
import { benchTenant } from './support/bench-tenant.ts';
import { readOptions } from './support/options.ts';
import type { Bench } from './support/report.ts';

const ROWS_TOGETHER = 100;
const TRANSACTIONS_AT_ONCE = 8;
/** Reads of rows. The import, the connection and the key are in other tables. */
const isRowRead = ({ service, method, route }: RequestCount) =>
  service === 'table' && method === 'GET' && route.startsWith(tables.mailboxes);

export const reports: Bench = {
  usage: `reports [--rows 20000,100000]
    reports of imports that have ended, against a bare read of the same rows`,

  async run(args) {
    const options = readOptions(args, { numbers: {}, lists: { rows: [20_000, 100_000] } });
    const tenant = benchTenant(1, 1);
    const bench = await startBenchStack([tenant], { latencyMs: 0 });
    const runs = [];
    try {
      const customer = await bench.addCustomer(tenant);
      for (const rows of options.rows.toSorted((a, b) => a - b)) runs.push(await measure(bench, customer, rows));
    } finally {
      await bench.stop();
    }
    return {
      title: `report.csv of ${options.rows.join(' and ')} rows, downloaded from one process.`,
      rows: [
        ...runs.flatMap(({ rows, requests, bareSeconds, seconds }) => [
          {
            operation: `${rows} rows: reads beside one for each 1,000 rows`,
            measured: requests - rows / 1_000,
            goal: 2,
          },
          {
            operation: `${rows} rows: bare read ÷ report`,
            measured: bareSeconds / seconds,
            goal: 0.8,
            is: 'atLeast' as const,
          },
        ]),
      ],
      notes: runs.map(
        ({ rows, seconds, bareSeconds, bytes, peakMb }) =>
          `  ${rows} rows: ${(bytes / 2 ** 20).toFixed(1)} MB in ${seconds.toFixed(1)} s, bare ${bareSeconds.toFixed(1)} s, peak ${peakMb.toFixed(0)} MB`,
      ),
      details: { ...options, runs },
    };
  },
};

async function measure(bench: BenchStack, customer: BenchCustomer, rows: number) {
  const table = createTableClients({
    kind: 'connectionString',
    connectionString: new Secret(bench.stack.local().storage.connectionString),
  });
  const importId = `imp_${String(rows).padStart(23, '0')}`;
  await writeImport(table(tables.imports), table(tables.mailboxes), customer, importId, rows);
  const bareSeconds = await secondsOf(() => readBare(table(tables.mailboxes), customer.connectionId, importId));

  const download = async () => {
    let bytes = 0;
    for await (const chunk of await customer.muster.imports.reportCsv(importId)) bytes += chunk.byteLength;
    return bytes;
  };
  const pid = Number(bench.stack.local().processes.functions);
  let peakMb = residentMb(pid);
  let isOver = false;
  const sampling = (async () => {
    while (!isOver) {
      peakMb = Math.max(peakMb, residentMb(pid));
      await pause(100);
    }
  })();
  await bench.resetCounts();
  let bytes = 0;
  const seconds = await secondsOf(async () => {
    bytes = await download();
  });
  isOver = true;
  await sampling;
  const requests = sumOf(await bench.counts(), isRowRead);
  return { rows, seconds, bareSeconds, bytes, requests, peakMb };
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

/** Reads the entities one page after the other, and does nothing with them. */
async function readBare(table: TableClient, connectionId: string, importId: string): Promise<void> {
  const filter = odata`PartitionKey eq ${connectionId} and RowKey ge ${`r:${importId}:`} and RowKey lt ${`r:${importId};`}`;
  for await (const _page of table.listEntities({ queryOptions: { filter } }).byPage({ maxPageSize: 1_000 }));
}

/** Stores an import that has ended: every tenth row has failed. */
async function writeImport(
  importTable: TableClient,
  mailboxTable: TableClient,
  { customerId, connectionId }: BenchCustomer,
  importId: string,
  rows: number,
): Promise<void> {
  const ledger = tableLedger(mailboxTable);
  let next = 0;
  const write = async () => {
    for (let from = next; from < rows; from = next) {
      next += ROWS_TOGETHER;
      const lines = Array.from({ length: Math.min(ROWS_TOGETHER, rows - from) }, (_, i) => from + i + 2);
      await ledger.commit(
        connectionId,
        lines.map((line) => ({ op: 'createRow', row: aRow(importId, line) })),
      );
    }
  };
  await Promise.all(Array.from({ length: TRANSACTIONS_AT_ONCE }, write));
  const failed = Math.floor(rows / 10);
  const none = { rejected: 0, duplicates: 0, pending: 0, waiting: 0, inconclusive: 0, cancelled: 0 };
  const record: Import = {
    id: importId,
    customerId,
    connectionId,
    status: 'completed',
    epoch: 1,
    cursor: rows,
    dispatched: rows,
    batches: [],
    eventPending: false,
    uploadType: 'text/csv',
    quotaRows: 0,
    counts: { ...none, rows, accepted: rows, passed: rows - failed, failed },
    createdAt: new Date(),
  };
  await tableImports(importTable).insert(record);
}

function aRow(importId: string, line: number): ImportRow {
  const hasFailed = line % 10 === 0;
  const verdict = hasFailed ? 'failed' : 'passed';
  return {
    importId,
    line,
    address: `user.number${line}@contoso.example`,
    displayName: `User Number ${line}`,
    dailyLimit: 50,
    reference: `crm-${line}`,
    takesSlot: true,
    state: verdict,
    attempt: 0,
    verdicts: { 'graph.readWrite': verdict, 'graph.send': verdict },
    requestId: '3f6c1a52-8f0e-4b7d-9f43-2f1a0c5d7e61',
    checkedAt: new Date(),
    ...(hasFailed && { cause: 'mailbox_not_found' }),
  };
}
