import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import type { Connection } from '../../connections/connection.ts';
import type { ConnectionStore } from '../../connections/connection-store.ts';
import type { Log } from '../../kernel/log.ts';
import type { Page, PageRequest } from '../../kernel/page.ts';
import { type RunProgressStore, runInSteps } from '../../kernel/resumable-run.ts';
import { type OpenWork, type OpenWorkDeps, readOpenWork } from './open-work.ts';
import { type ReverifyConnectionDeps, reverifyConnection } from './reverify-connection.ts';

export interface ReverifyDeps extends ReverifyConnectionDeps, OpenWorkDeps {
  /** Without those that are being deleted. */
  customers: { list(page: PageRequest): Promise<Page<{ id: string }>> };
  connections: ReverifyConnectionDeps['connections'] & Pick<ConnectionStore, 'list'>;
  imports: ReverifyConnectionDeps['imports'];
  reverifyProgress: RunProgressStore;
}

interface Result {
  connections: number;
  started: number;
  withoutSlot: number;
  failed: number;
  /** The list of customers was read to its end. */
  isComplete: boolean;
}

const CUSTOMERS_PER_STEP = 5;
const CONNECTIONS_PER_PAGE = 100;
const CONNECTIONS_AT_ONCE = 4;
/** The next run of the timer goes on. */
const WORK_MS = 240_000;

/**
 * Checks mailboxes again whose last check is long ago, for a timer. One process at a time does it, for a limited time, and
 * the next run continues where this one stopped. Resolves to `undefined` if another process is doing it.
 *
 * A connection with nothing to do costs one request in each run. One with work costs ten pages of its mailboxes at most,
 * and the start of one action.
 */
export async function reverifyMailboxes(deps: ReverifyDeps, log: Log): Promise<Result | undefined> {
  const result: Result = { connections: 0, started: 0, withoutSlot: 0, failed: 0, isComplete: false };
  const limit = pLimit(CONNECTIONS_AT_ONCE);
  const run = await runInSteps(
    { progress: deps.reverifyProgress, clock: deps.clock },
    async (cursor, runId) => {
      const page = await deps.customers.list({ limit: CUSTOMERS_PER_STEP, ...(cursor !== undefined && { cursor }) });
      const work = await readOpenWork(deps);
      for (const { id } of page.items) {
        const connections = inTurn((await Array.fromAsync(pagesOf(deps, id))).flat(), runId);
        await Promise.all(connections.map((one) => limit(() => reverifyOne(deps, one, work, result, log))));
      }
      return page.cursor;
    },
    WORK_MS,
  );
  return run && { ...result, ...run };
}

/** In another order in each run: if a customer may not have more open imports, the next run begins with others. */
function inTurn(connections: readonly Connection[], runId: string): Connection[] {
  const order = new Map(connections.map(({ id }) => [id, createHash('sha256').update(`${runId} ${id}`).digest('hex')]));
  const keyOf = ({ id }: Connection) => order.get(id) ?? '';
  return connections.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

async function* pagesOf({ connections }: ReverifyDeps, customerId: string): AsyncGenerator<Connection[]> {
  let cursor: string | undefined;
  do {
    const request = { limit: CONNECTIONS_PER_PAGE, ...(cursor !== undefined && { cursor }) };
    const page = await connections.list(customerId, request);
    yield page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** One connection that fails does not hold up the others. */
async function reverifyOne(
  deps: ReverifyDeps,
  connection: Connection,
  work: OpenWork,
  result: Result,
  log: Log,
): Promise<void> {
  const { customerId, id: connectionId } = connection;
  result.connections++;
  try {
    const { started, withoutSlot } = await reverifyConnection(deps, connection, work);
    result.started += started;
    result.withoutSlot += withoutSlot;
    if (started > 0) log('info', 'reverification_started', { customerId, connectionId, mailboxes: started });
    if (withoutSlot > 0)
      log('info', 'reverification_needs_slots', { customerId, connectionId, mailboxes: withoutSlot });
  } catch (error) {
    result.failed++;
    log('warn', 'reverification_failed', { customerId, connectionId, error });
  }
}
