import pLimit from 'p-limit';
import type { Log } from '../kernel/log.ts';
import type { Page, PageRequest } from '../kernel/page.ts';
import { type RunProgressStore, runInSteps } from '../kernel/resumable-run.ts';
import { applyRegistration, registrationOf } from './app-registration.ts';
import { changeConnection } from './change-connection.ts';
import { type Connection, hasOwnApp, type OwnConnection } from './connection.ts';
import type { ConnectionStore } from './connection-store.ts';
import { expiryOf } from './expiring-secrets.ts';
import type { ExpiryIndex } from './expiry-index.ts';
import { type ReadRegistrationDeps, readRegistration } from './read-registration.ts';

export interface ReadRegistrationsDeps extends ReadRegistrationDeps {
  connections: Pick<ConnectionStore, 'list' | 'get' | 'update'>;
  customers: { list(page: PageRequest): Promise<Page<{ id: string }>> };
  expiryIndex: Pick<ExpiryIndex, 'put' | 'remove'>;
  registrationProgress: RunProgressStore;
}

const CUSTOMERS_PAGE = 5;
const CONNECTIONS_PAGE = 100;
const READS_AT_ONCE = 8;
/** The timer has more to do afterwards. */
const WORK_MS = 180_000;
/** Less than a day, so that the daily run does not skip one. A run that goes on the same day does not ask again. */
const READ_FOR_MS = 20 * 3_600_000;
/** A tenant that has refused is asked again after this time, or by the next connection test. */
const REFUSED_FOR_MS = 7 * 86_400_000;

/**
 * The daily run: reads from Microsoft Entra when client secrets really expire, of every connection that is `ready`, and
 * corrects what was entered. It works for three minutes, and the next run goes on where it stopped. A connection whose
 * registration cannot be read is asked once a week. One that fails does not hold up the others, nor do customers that
 * take up a whole run: the next run begins after them.
 */
export async function readRegistrations(
  deps: ReadRegistrationsDeps,
  log: Log,
): Promise<{ read: number; corrected: number; failed: number; isComplete: boolean } | undefined> {
  const result = { read: 0, corrected: 0, failed: 0 };
  const until = deps.clock.now().getTime() + WORK_MS;
  let isLate = false;
  let steps = 0;
  const limit = pLimit(READS_AT_ONCE);
  const readOne = async (connection: Connection) => {
    // Microsoft may be so slow that not even one customer is done in time.
    isLate ||= deps.clock.now().getTime() >= until;
    if (isLate) return;
    try {
      const change = await refresh(deps, connection);
      if (change !== 'none') result.read++;
      if (change !== 'corrected') return;
      result.corrected++;
      log('warn', 'client_secret_expiry_corrected', { customerId: connection.customerId, connectionId: connection.id });
    } catch (error) {
      result.failed++;
      log('warn', 'registration_not_read', { connectionId: connection.id, error });
    }
  };
  const run = await runInSteps(
    { progress: deps.registrationProgress, clock: deps.clock },
    async (cursor) => {
      steps++;
      const customers = await deps.customers.list({ limit: CUSTOMERS_PAGE, ...(cursor !== undefined && { cursor }) });
      for (const { id } of customers.items) {
        for await (const page of pagesOf(deps, id)) {
          await Promise.all(longestAgoFirst(page).map((connection) => limit(() => readOne(connection))));
        }
      }
      return isLate && steps > 1 ? cursor : customers.cursor;
    },
    WORK_MS,
  );
  return run && { ...result, isComplete: run.isComplete && !isLate };
}

async function* pagesOf(deps: ReadRegistrationsDeps, customerId: string): AsyncGenerator<Connection[]> {
  let cursor: string | undefined;
  do {
    const page = await deps.connections.list(customerId, {
      limit: CONNECTIONS_PAGE,
      ...(cursor !== undefined && { cursor }),
    });
    yield page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

async function refresh(deps: ReadRegistrationsDeps, connection: Connection): Promise<'none' | 'read' | 'corrected'> {
  if (!isDue(connection, deps.clock.now())) return 'none';
  const view = await readRegistration(deps, connection);
  if (!view) return 'none';
  if (!hasOwnApp(connection)) return 'none';
  const expected = applyRegistration(connection, view);
  const isMoved = (one: Connection): one is OwnConnection =>
    hasOwnApp(one) && one.credential.expiresAt.getTime() !== connection.credential.expiresAt.getTime();
  // The entry comes before the record, so that the secret is always listed.
  if (isMoved(expected)) await deps.expiryIndex.put({ ...expiryOf(expected), notedAt: deps.clock.now() });
  const changed = await changeConnection(deps.connections, connection.customerId, connection.id, (current) =>
    // It was replaced, or its date corrected by somebody, since it was listed.
    current.credential.version === view.version ? applyRegistration(current, view) : undefined,
  );
  if (!changed || !isMoved(changed)) return 'read';
  await deps.expiryIndex.remove(expiryOf(connection)).catch(() => undefined);
  return 'corrected';
}

/** Only a connection that works can be asked. */
function isDue(connection: Connection, now: Date): boolean {
  if (connection.status !== 'ready' || connection.credential.kind !== 'clientSecret') return false;
  const known = registrationOf(connection);
  return !known || now.getTime() - known.checkedAt.getTime() >= (known.isReadable ? READ_FOR_MS : REFUSED_FOR_MS);
}

/** The time may not be enough for all of them. */
function longestAgoFirst(connections: readonly Connection[]): Connection[] {
  const readAt = (one: Connection) => registrationOf(one)?.checkedAt.getTime() ?? 0;
  return connections.toSorted((a, b) => readAt(a) - readAt(b));
}
