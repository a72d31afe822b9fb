import type { RequestCount } from '../local/request-count.ts';
import { isGraph, ofChecks, startBenchStack, sumOf } from './support/bench-stack.ts';
import { benchTenant, csvOf } from './support/bench-tenant.ts';
import { type Bench, type Row, UsageError } from './support/report.ts';

const LATENCY_MS = 20;

/**
 * Imports mailboxes that pass, on the whole local stack, and counts the requests to storage, vault and Microsoft 365.
 * Afterwards it counts the requests of ten progress reads.
 */
export const requests: Bench = {
  usage: `requests [mailboxes]
    the requests of an import of 2000 mailboxes, or as many as you say (at least 100)`,

  async run([count = '2000', ...rest]) {
    const mailboxes = Number(count);
    if (!/^\d+$/.test(count) || mailboxes < 100 || rest.length > 0) {
      throw new UsageError('The only argument is a number of mailboxes, at least 100.');
    }
    const rows = await measureRequests(mailboxes);
    return {
      title: `Requests per mailbox, in an import of ${count} mailboxes that pass.\nToken requests and vault reads are totals; a progress read is counted by itself.`,
      rows,
      details: { mailboxes },
    };
  },
};

async function measureRequests(mailboxes: number): Promise<Row[]> {
  const tenant = benchTenant(1, mailboxes);
  const bench = await startBenchStack([tenant], { latencyMs: LATENCY_MS });
  try {
    let sent = 0;
    const { muster, connectionId } = await bench.addCustomer(tenant, (request) => {
      sent++;
      return fetch(request);
    });
    // A fresh process must get its token and read the vault, and these requests count too.
    await bench.stack.functions.stop();
    await bench.stack.functions.start();

    await bench.resetCounts();
    const { id } = await muster.imports.start(connectionId, csvOf(tenant.domain, 1, mailboxes));
    const sentBefore = sent;
    // Polls rarely: the reads of the API do not belong to the import.
    const { status } = await muster.waitForImport(id, { pollMs: 2_000 });
    if (status !== 'completed') throw new Error(`the import ended as ${status}`);
    const polls = sent - sentBefore;
    const during = await bench.counts();
    await bench.resetCounts();
    for (let i = 0; i < 10; i++) await muster.imports.get(id);
    const reading = await bench.counts();
    return rowsOf(during, reading, mailboxes, polls);
  } finally {
    await bench.stop();
  }
}

function rowsOf(
  during: readonly RequestCount[],
  reading: readonly RequestCount[],
  mailboxes: number,
  polls: number,
): Row[] {
  const each = (operation: string, goal: number, total: number): Row => ({
    operation,
    goal,
    measured: total / mailboxes,
  });
  // One transaction for 49 lines, their mailboxes and the checkpoint, and one for the first checkpoint.
  const planning = Math.ceil(mailboxes / 49) + 1;
  const transactions = sumOf(during, ({ service, route }) => service === 'table' && route === '$batch');
  const mailboxReads = sumOf(
    during,
    ({ service, method, route }) => service === 'table' && method === 'GET' && route.startsWith('mailboxes(…'),
  );
  return [
    each('queue put', 1, sumOf(during, ofChecks('POST'))),
    each('queue get', 0.04, sumOf(during, ofChecks('GET'))),
    each('queue delete', 1, sumOf(during, ofChecks('DELETE'))),
    each('pending row and mailbox', 0.022, planning),
    each('result row, mailbox and count', 0.15, transactions - planning),
    // Rows and mailboxes that a worker reads by key. Each progress read also reads one row, which does not count.
    each('table reads by key', 0.05, Math.max(0, mailboxReads - polls)),
    each('Graph HTTP requests', 2, sumOf(during, isGraph)),
    {
      operation: 'token requests',
      goal: 2,
      measured: sumOf(during, ({ service, route }) => service === 'entra' && route.endsWith('/token')),
    },
    {
      operation: 'vault reads',
      goal: 1,
      measured: sumOf(
        during,
        ({ service, method, status }) => service === 'vault' && method === 'GET' && status === 200,
      ),
    },
    {
      operation: 'progress read',
      goal: 3,
      measured:
        sumOf(reading, ({ service, route }) => service === 'table' && /^(imports|mailboxes)\(/.test(route)) / 10,
    },
  ];
}
