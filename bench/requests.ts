import { createMuster } from '../clients/typescript/src/index.ts';
import { trustInThisProcess } from '../local/certificate.ts';
import { createCustomer } from '../local/customer.ts';
import { demoDomain, demoScenario } from '../local/demo/scenario.ts';
import { parseScenario } from '../local/microsoft365/scenario.ts';
import type { RequestCount } from '../local/request-count.ts';
import { startStack } from '../local/stack.ts';

export interface RequestRow {
  operation: string;
  goal: number;
  measured: number;
}

/** Sweeps run as rarely as in Azure, so that only the requests of the import itself are counted. */
const SETTINGS = { SWEEP_SCHEDULE: '0 * * * * *' };
const EXPIRES_AT = '2035-12-31T00:00:00Z';

/**
 * Imports this many mailboxes that pass, on the whole local stack, and counts the requests to storage, vault and
 * Microsoft 365. Afterwards it counts the requests of ten progress reads.
 */
export async function measureRequests(mailboxes: number): Promise<RequestRow[]> {
  const demo = demoScenario(mailboxes + 60, { latencyMs: 20 });
  for (const app of demo.scenario.tenants[0]?.apps ?? []) app.consent = 'granted';
  const stack = await startStack({ port: 0, scenario: parseScenario(demo.scenario), settings: SETTINGS });
  try {
    trustInThisProcess(stack.certificate.cert);
    const { apiUrl, operatorKey, simulatorUrl } = stack.local();
    const operator = createMuster({ url: apiUrl, key: operatorKey });
    const customer = await createCustomer(operator, { name: 'Bench', mailboxSlots: mailboxes });
    let sent = 0;
    const muster = createMuster({
      url: apiUrl,
      key: operatorKey,
      customer: customer.id,
      fetch(request) {
        sent++;
        return fetch(request);
      },
    });
    const { tenant, clientId, clientSecret } = demo.main;
    const connection = await muster.connections.create({
      name: 'Bench',
      tenant,
      clientId,
      clientSecret,
      clientSecretExpiresAt: EXPIRES_AT,
      cloud: 'simulator',
    });
    await muster.connections.test(connection.id);
    // A fresh process must get its token and read the vault, and these requests count too.
    await stack.functions.stop();
    await stack.functions.start();
    const reset = () => fetch(new URL('/_simulator/requests/reset', simulatorUrl), { method: 'POST' });
    const counts = async () => {
      const response = await fetch(new URL('/_simulator/requests', simulatorUrl));
      const { items }: { items: RequestCount[] } = JSON.parse(await response.text());
      return items;
    };

    await reset();
    const csv = `email\n${Array.from({ length: mailboxes }, (_, i) => `user${i + 1}@${demoDomain}`).join('\n')}\n`;
    const { id } = await muster.imports.start(connection.id, csv);
    const sentBefore = sent;
    // Polls rarely: the reads of the API do not belong to the import.
    const { status } = await muster.waitForImport(id, { pollMs: 2_000 });
    if (status !== 'completed') throw new Error(`the import ended as ${status}`);
    const polls = sent - sentBefore;
    const during = await counts();
    await reset();
    for (let i = 0; i < 10; i++) await muster.imports.get(id);
    const reading = await counts();
    return rows(during, reading, mailboxes, polls);
  } finally {
    await stack.stop();
  }
}

function rows(
  during: readonly RequestCount[],
  reading: readonly RequestCount[],
  mailboxes: number,
  polls: number,
): RequestRow[] {
  const sum = (items: readonly RequestCount[], matches: (item: RequestCount) => boolean) =>
    items.filter(matches).reduce((total, { count }) => total + count, 0);
  const checks = (method: string) => (item: RequestCount) =>
    item.service === 'queue' && item.method === method && item.route.startsWith('check-mailbox/messages');
  const each = (operation: string, goal: number, total: number): RequestRow => ({
    operation,
    goal,
    measured: total / mailboxes,
  });
  // One transaction for 49 lines, their mailboxes and the checkpoint, and one for the first checkpoint.
  const planning = Math.ceil(mailboxes / 49) + 1;
  const transactions = sum(during, ({ service, route }) => service === 'table' && route === '$batch');
  const mailboxReads = sum(
    during,
    ({ service, method, route }) => service === 'table' && method === 'GET' && route.startsWith('mailboxes(…'),
  );
  return [
    each('queue put', 1, sum(during, checks('POST'))),
    each('queue get', 0.04, sum(during, checks('GET'))),
    each('queue delete', 1, sum(during, checks('DELETE'))),
    each('pending row and mailbox', 0.022, planning),
    each('result row, mailbox and count', 0.15, transactions - planning),
    // Rows and mailboxes that a worker reads by key. Each progress read also reads one row, which does not count.
    each('table reads by key', 0.05, Math.max(0, mailboxReads - polls)),
    each(
      'Graph HTTP requests',
      2,
      sum(during, ({ service }) => service === 'graph'),
    ),
    {
      operation: 'token requests',
      goal: 2,
      measured: sum(during, ({ service, route }) => service === 'entra' && route.endsWith('/token')),
    },
    {
      operation: 'vault reads',
      goal: 1,
      measured: sum(during, ({ service, method, status }) => service === 'vault' && method === 'GET' && status === 200),
    },
    {
      operation: 'progress read',
      goal: 3,
      measured: sum(reading, ({ service, route }) => service === 'table' && /^(imports|mailboxes)\(/.test(route)) / 10,
    },
  ];
}
