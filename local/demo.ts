import { setTimeout as pause } from 'node:timers/promises';
import { type ApiClient, createApiClient } from './api-client.ts';
import { trustInThisProcess } from './certificate.ts';
import { countFaults, differences } from './demo/compare.ts';
import type { ConnectionCase } from './demo/connections.ts';
import { consentAsAdmin } from './demo/consent.ts';
import { readDemoOptions } from './demo/options.ts';
import { type DemoPlan, planDemo } from './demo/plan.ts';
import { isOver, type Progress, progressLine } from './demo/progress.ts';
import { cures, mailboxTable, requestLine, type ShownMailbox, wrap } from './demo/report.ts';
import type { RequestCount } from './request-count.ts';
import { type Stack, startStack } from './stack.ts';
import { StartError } from './start-error.ts';

/** Waits that are hours in Azure, cut short so that the whole of it can be watched. */
const SETTINGS = {
  CHECK_GIVE_UP_AFTER: 'PT10S',
  CHECK_RETRY_BASE: 'PT0.5S',
  CHECK_TIMEOUT: 'PT5S',
  BATCH_OVERDUE_AFTER: 'PT60S',
};
const EXPIRES_AT = '2035-12-31T00:00:00Z';

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
  // SIGHUP: the terminal was closed.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
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
  const consent = await consentAsAdmin(url);
  console.log(`The admin opens the consent link and accepts: “${consent.title}”`);
  const test = await api.expect<Test>(200, 'POST', `/v1/connections/${connection.id}/test`);
  console.log(`The connection test: ${test.verdict} (${test.roles.join(', ')})`);
  for (const { cause, detail, fix } of test.steps) if (cause) console.log(`  ${cause}: ${detail ?? ''} ${fix ?? ''}`);

  const atFirst = await countRequests(simulatorUrl);
  await fetch(new URL('/_simulator/requests/reset', simulatorUrl), { method: 'POST' });
  const began = Date.now();
  const progress = await watch(api, await startImport(api, connection.id, plan.csv));
  const seconds = (Date.now() - began) / 1000;
  const requests = await countRequests(simulatorUrl);

  const mailboxes = await readAll<ShownMailbox>(api, `/v1/connections/${connection.id}/mailboxes`);
  const rows = await readAll<{ line: number; state: string }>(api, `/v1/imports/${progress.id}/rows`);
  console.log(`\n${mailboxTable(mailboxes)}\n\nWhat the causes mean, and what mends them:\n${cures(mailboxes)}\n`);
  const wrong = plan.expected ? differences(plan.expected, mailboxes) : [];
  if (plan.expected && !consent.ok) wrong.push(`the consent callback answered “${consent.title}”`);
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
  console.log(`Requests per mailbox: ${requestLine(requests, atFirst, Math.max(1, checked))}`);
  return wrong.length === 0;
}

async function countRequests(simulatorUrl: string): Promise<RequestCount[]> {
  const answer = await fetch(new URL('/_simulator/requests', simulatorUrl));
  return ((await answer.json()) as { items: RequestCount[] }).items;
}

/** @throws StartError with the API's own words when the file cannot be imported: it may be the user's. */
async function startImport(api: ApiClient, connectionId: string, csv: string | Uint8Array): Promise<string> {
  const answer = await api.call<{ id: string; detail?: string }>('POST', `/v1/connections/${connectionId}/imports`, {
    body: csv,
    contentType: 'text/csv',
  });
  if (answer.status !== 202) throw new StartError(`The import was refused: ${answer.body.detail ?? answer.text}`);
  return answer.body.id;
}

/** A line that moves on a terminal; elsewhere one now and then. */
async function watch(api: ApiClient, importId: string): Promise<Progress> {
  const { isTTY, columns = 80 } = process.stdout;
  let shown = '';
  for (;;) {
    const progress = await api.expect<Progress>(200, 'GET', `/v1/imports/${importId}`);
    // A line that wraps would not be rewritten but repeated.
    const line = isTTY ? progressLine(progress).slice(0, columns - 1) : progressLine(progress);
    if (isTTY) process.stdout.write(`\r${line.padEnd(shown.length)}`);
    else if (line !== shown) console.log(line);
    shown = line;
    if (isOver(progress)) {
      if (isTTY) process.stdout.write('\n');
      if (progress.finding) console.log(`${progress.finding.code}: ${progress.finding.detail}`);
      return progress;
    }
    await pause(isTTY ? 250 : 1_000);
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

interface Test {
  verdict: string;
  roles: string[];
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
  if (said?.fix) console.log(wrap(`→ ${said.fix}`, '    '));
  return said?.cause === cause
    ? []
    : [`the connection test: the cause is ${cause}, Muster says ${said?.cause ?? 'none'}`];
}
