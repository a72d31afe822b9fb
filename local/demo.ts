import { setTimeout as pause } from 'node:timers/promises';
import { type ApiClient, createApiClient } from './api-client.ts';
import { trustInThisProcess } from './certificate.ts';
import { differences } from './demo/compare.ts';
import { consentAsAdmin } from './demo/consent.ts';
import { readDemoOptions } from './demo/options.ts';
import { type DemoPlan, planDemo } from './demo/plan.ts';
import { cures, mailboxTable, requestLine, type ShownMailbox } from './demo/report.ts';
import type { ConnectionCase } from './microsoft365/demo-connections.ts';
import type { RequestCount } from './microsoft365/request-ledger.ts';
import { type Stack, startStack } from './stack.ts';
import { StartError } from './start-error.ts';

/** Waits that are hours in Azure, cut short so that the whole of it can be watched. */
const SETTINGS = {
  CHECK_GIVE_UP_AFTER: 'PT10S',
  CHECK_RETRY_BASE: 'PT0.5S',
  CHECK_TIMEOUT: 'PT5S',
  PAGE_OVERDUE_AFTER: 'PT60S',
};
const EXPIRES_AT = '2035-12-31T00:00:00Z';

interface Progress {
  id: string;
  status: string;
  percent: number;
  counts: Record<string, number>;
  finding: { code: string; detail: string } | null;
}

/** Set by Ctrl-C: what fails from then on fails because the stack is ending. */
let isInterrupted = false;

/** `npm run demo`: the main job from end to end on a fresh stack. */
try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (!isInterrupted) console.error(error instanceof StartError ? error.message : error);
  process.exitCode = isInterrupted ? 130 : 1;
}

async function main(): Promise<boolean> {
  const plan = planDemo(readDemoOptions());
  console.log('Starting Muster, its storage, its vault and a simulated Microsoft 365 …');
  let stack: Stack | undefined;
  const starting = startStack({ port: 0, scenario: plan.scenario, settings: SETTINGS });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      isInterrupted = true;
      void starting.then((begun) => begun.stop()).finally(() => process.exit(130));
    });
  }
  try {
    stack = await starting;
    trustInThisProcess(stack.certificate.cert);
    return await show(stack, plan);
  } finally {
    await stack?.stop();
  }
}

async function show(stack: Stack, plan: DemoPlan): Promise<boolean> {
  const { apiUrl, operatorKey, simulatorUrl } = stack.local();
  const operator = createApiClient(apiUrl, operatorKey);
  const customer = await operator.expect<{ id: string }>(201, 'POST', '/v1/customers', {
    body: { name: 'Acme Outreach', mailboxSlots: 1_000_000 },
  });
  const { key } = await operator.expect<{ key: string }>(201, 'POST', `/v1/customers/${customer.id}/api-keys`, {
    body: { name: 'demo', role: 'owner' },
  });
  const api = operator.as(key);
  console.log(`A customer (${customer.id}) with an API key.`);

  const connection = await api.expect<{ id: string }>(201, 'POST', '/v1/connections', {
    body: {
      name: 'The main tenant',
      ...plan.main,
      domain: undefined,
      clientSecretExpiresAt: EXPIRES_AT,
      cloud: 'simulator',
    },
  });
  console.log(`A connection to ${plan.main.tenant} (${connection.id}); its secret lies in the vault.`);
  const { url } = await api.expect<{ url: string }>(201, 'POST', `/v1/connections/${connection.id}/consent`);
  console.log(`The admin opens the consent link and accepts: “${await consentAsAdmin(url)}”`);
  const test = await api.expect<{ verdict: string; roles: string[] }>(
    200,
    'POST',
    `/v1/connections/${connection.id}/test`,
  );
  console.log(`The connection test: ${test.verdict} (${test.roles.join(', ')})`);

  await fetch(new URL('/_simulator/requests/reset', simulatorUrl), { method: 'POST' });
  const began = Date.now();
  const accepted = await api.expect<Progress>(202, 'POST', `/v1/connections/${connection.id}/imports`, {
    body: plan.csv,
    contentType: 'text/csv',
  });
  const progress = await watch(api, accepted.id);
  const seconds = (Date.now() - began) / 1000;
  const requests = (await (await fetch(new URL('/_simulator/requests', simulatorUrl))).json()) as {
    items: RequestCount[];
  };

  const mailboxes = await readAll<ShownMailbox>(api, `/v1/connections/${connection.id}/mailboxes`);
  const rows = await readAll<{ state: string }>(api, `/v1/imports/${progress.id}/rows`);
  console.log(`\n${mailboxTable(mailboxes)}\n\nWhat the causes mean, and what mends them:\n${cures(mailboxes)}\n`);
  const wrong = plan.expected ? differences(plan.expected, mailboxes) : [];
  wrong.push(...countFaults(progress, rows));
  if (plan.connections.length > 0) {
    console.log('What is wrong with a whole connection, one test each:');
    for (const one of plan.connections) wrong.push(...(await showConnection(api, one, plan.main.defaultMailbox)));
  }
  const { accepted: checked = 0 } = progress.counts;
  console.log(
    `\n${checked} mailboxes in ${seconds.toFixed(1)} s (${(checked / seconds).toFixed(0)} a second), ${rows.length} rows.`,
  );
  for (const sentence of wrong.slice(0, 30)) console.error(`DIFFERS  ${sentence}`);
  if (plan.expected) {
    console.log(
      wrong.length === 0 ? 'Every verdict is what the tenant was made to give.' : `${wrong.length} differences.`,
    );
  }
  console.log(`Requests per mailbox: ${requestLine(requests.items, Math.max(1, checked))}`);
  return wrong.length === 0;
}

/** A line that moves on a terminal; elsewhere one now and then. */
async function watch(api: ApiClient, importId: string): Promise<Progress> {
  let shown = '';
  for (;;) {
    const progress = await api.expect<Progress>(200, 'GET', `/v1/imports/${importId}`);
    const { percent, status, counts } = progress;
    const bar = '#'.repeat(Math.floor(percent / 4)).padEnd(25, '.');
    const line = `[${bar}] ${percent.toFixed(1).padStart(5)} %  ${status}: ${counts.passed} passed, ${counts.failed} failed, ${counts.inconclusive} inconclusive, ${counts.pending} pending`;
    const isOver = ['completed', 'failed', 'cancelled', 'paused'].includes(status);
    if (process.stdout.isTTY) process.stdout.write(`\r${line.padEnd(shown.length)}`);
    else if (line !== shown) console.log(line);
    shown = line;
    if (isOver) {
      if (process.stdout.isTTY) process.stdout.write('\n');
      if (progress.finding) console.log(`${progress.finding.code}: ${progress.finding.detail}`);
      return progress;
    }
    await pause(process.stdout.isTTY ? 250 : 1_000);
  }
}

async function readAll<Item>(api: ApiClient, path: string): Promise<Item[]> {
  const items: Item[] = [];
  let cursor = '';
  do {
    const page = await api.expect<{ items: Item[]; nextCursor?: string }>(200, 'GET', `${path}?limit=500${cursor}`);
    items.push(...page.items);
    cursor = page.nextCursor === undefined ? '' : `&cursor=${encodeURIComponent(page.nextCursor)}`;
  } while (cursor !== '');
  return items;
}

function countFaults({ status, counts }: Progress, rows: readonly { state: string }[]): string[] {
  const faults: string[] = [];
  if (status !== 'completed') faults.push(`the import ended as ${status}`);
  if (rows.length !== counts.rows) faults.push(`${counts.rows} rows are counted, ${rows.length} are there`);
  for (const state of ['passed', 'failed', 'inconclusive', 'rejected']) {
    const there = rows.filter((row) => row.state === state).length;
    if (there !== counts[state]) faults.push(`${counts[state]} rows are counted as ${state}, ${there} are`);
  }
  return faults;
}

interface Test {
  verdict: string;
  steps: { verdict: string; cause?: string; detail?: string; fix?: string }[];
}

/** Registers a connection that cannot work and shows what Muster says of it; what only shows in a mailbox is tried in one. */
async function showConnection(
  api: ApiClient,
  { cause, tenant, clientId, clientSecret }: ConnectionCase,
  defaultMailbox: string | undefined,
): Promise<string[]> {
  const connection = await api.expect<{ id: string }>(201, 'POST', '/v1/connections', {
    body: {
      name: `For ${cause}`,
      tenant,
      clientId,
      clientSecret,
      ...(defaultMailbox !== undefined && { defaultMailbox }),
      clientSecretExpiresAt: EXPIRES_AT,
      cloud: 'simulator',
    },
  });
  const { verdict, steps } = await api.expect<Test>(200, 'POST', `/v1/connections/${connection.id}/test`);
  const said = steps.find((step) => step.cause !== undefined);
  console.log(`  ${cause.padEnd(28)} ${verdict.padEnd(13)} ${said?.detail ?? ''}`);
  return said?.cause === cause
    ? []
    : [`the connection test: the cause is ${cause}, Muster says ${said?.cause ?? 'none'}`];
}
