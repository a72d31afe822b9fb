import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { QueueClient } from '@azure/storage-queue';
import { expect, it } from 'vitest';
import { poisonQueues } from '../../shared/kernel/storage-names.ts';
import { traceOf } from '../infra/kql/log-lines.ts';
import { type Row, runQuery } from '../infra/kql/run.ts';
import { workbookQueries } from '../infra/kql/workbook-queries.ts';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';
import { faultsOfLine } from '../support/signal-lines.ts';

const MAILBOXES = 8;
/** A tenant that throttles, and takes so long that an import counts as stalled. Timers run every two seconds. */
const scenario = plainTenant(MAILBOXES, { faultRates: { throttled: 0.1, retryAfterSeconds: 1 } }, 800);
/** The lines that the app has written, as Application Insights stores them. */
const AppTraces: Row[] = [];
const running = useRunningStack(scenario, {
  onLine(_, line) {
    const start = line.indexOf('{"event":"');
    if (start >= 0) AppTraces.push(traceOf(new Date(), line.slice(start)));
  },
  settings: { EXPIRY_SCHEDULE: '*/2 * * * * *', IMPORT_STALLED_AFTER: 'PT1S', WEBHOOKS_TO_LOCAL: 'true' },
});

it('every query of the workbook finds something in the lines of a busy deployment', async () => {
  const gone = createServer((_, response) => response.writeHead(410).end()).listen(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/`;
  const webhook = await running.muster.webhooks.create({ url, events: ['import.completed'] });
  await running.muster.webhooks.ping(webhook.id);
  const soon = new Date(Date.now() + 5 * 86_400_000).toISOString();
  const { id: connectionId } = await running.connect({ clientSecretExpiresAt: soon });
  const malformed = Buffer.from(JSON.stringify({ hello: 'world' })).toString('base64');
  const storage = running.stack.local().storage.connectionString;
  await new QueueClient(storage, poisonQueues.checkMailbox).sendMessage(malformed);
  const addresses = [...plainAddresses(MAILBOXES), `nobody@${tenant.domain}`];
  const { id } = await running.startImport(connectionId, csvOf(addresses));
  await running.untilEnded(id, 60_000);

  const empty = () => {
    const found = [...workbookQueries].map(([name, query]) => {
      return [name, runQuery(query, { tables: { AppTraces }, now: new Date() }).length] as const;
    });
    return found.filter(([, rows]) => rows === 0).map(([name]) => name);
  };
  await expect.poll(empty, { timeout: 40_000, interval: 1_000 }).toEqual([]);
  gone.close();

  const lines = AppTraces.map(({ Message }) => JSON.parse(String(Message)));
  expect(lines.flatMap(faultsOfLine)).toEqual([]);
  const checked = runQuery(workbookQueries.get('verdicts-by-cause') ?? '', {
    tables: { AppTraces },
    now: new Date(),
  });
  // The workbook counts what the import counts.
  const { counts } = await running.progressOf(id);
  const sum = (verdict: string) =>
    checked.filter(({ Verdict }) => Verdict === verdict).reduce((total, row) => total + Number(row.Mailboxes), 0);
  expect([sum('passed'), sum('failed')]).toEqual([counts.passed, counts.failed]);
}, 120_000);
