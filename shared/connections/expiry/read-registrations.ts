import pLimit from 'p-limit';
import type { Log } from '../../kernel/log.ts';
import type { Page, PageRequest } from '../../kernel/page.ts';
import { type RunProgressStore, runInSteps } from '../../kernel/resumable-run.ts';
import { changeConnection } from '../change-connection.ts';
import { type Connection, hasOwnApp, type OwnConnection } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';
import { applyRegistration, registrationOf } from './app-registration.ts';
import { expiryOf } from './expiring-secrets.ts';
import type { ExpiryIndex } from './expiry-index.ts';
import { type ReadRegistrationDeps, readRegistration } from './read-registration.ts';

export interface ReadRegistrationsDeps extends ReadRegistrationDeps {
  connections: Pick<ConnectionStore, 'list' | 'get' | 'update'>;
  customers: { list(page: PageRequest): Promise<Page<{ id: string }>> };
  expiryIndex: Pick<ExpiryIndex, 'put' | 'remove'>;
  registrationProgress: RunProgressStore;
}

/** Customers whose turn it is at the same time. */
const CUSTOMERS_PAGE = 5;
const CONNECTIONS_PAGE = 100;
const READS_AT_ONCE_PER_CUSTOMER = 4;
/** Then the next customers have their turn. */
const TURN_MS = 10_000;
/** The timer has more to do afterwards. */
const WORK_MS = 180_000;
/** Less than a day, so that the daily run does not skip one. A run that goes on the same day does not ask again. */
const READ_FOR_MS = 20 * 3_600_000;
/** A tenant that has refused is asked again after this time, or by the next connection test. */
const REFUSED_FOR_MS = 7 * 86_400_000;

/**
 * The daily run: reads from Microsoft Entra, for every connection that is `ready`, when its client secret really expires,
 * and whether there is a newer credential. Corrects what was entered. A connection whose registration cannot be read is
 * asked once a week. One that fails does not hold up the others.
 *
 * It works for three minutes, and the next run goes on where it stopped. Each customer has a turn of a few seconds. Those
 * whose tenants are so slow that some connections are left have another turn once everyone has had theirs. The connections
 * of a customer come in random order, so that the same ones are never left day after day.
 */
export async function readRegistrations(
  deps: ReadRegistrationsDeps,
  log: Log,
  random: () => number = Math.random,
): Promise<{ read: number; corrected: number; failed: number; isComplete: boolean } | undefined> {
  const result = { read: 0, corrected: 0, failed: 0 };
  const until = deps.clock.now().getTime() + WORK_MS;
  const isLate = () => deps.clock.now().getTime() >= until;
  /** Asked in this run. A tenant that did not answer is not asked again. */
  const asked = new Set<string>();
  /** Customers of whom nothing is left. */
  const done = new Set<string>();
  const readOne = async (connection: Connection) => {
    asked.add(connection.id);
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
  /** Resolves to whether nothing is left. */
  const takeTurn = async (customerId: string): Promise<boolean> => {
    const now = deps.clock.now();
    const mayBegin = () => !isLate() && deps.clock.now().getTime() - now.getTime() < TURN_MS;
    const due = (await listDue(deps, customerId, now)).filter(({ id }) => !asked.has(id));
    const limit = pLimit(READS_AT_ONCE_PER_CUSTOMER);
    let left = due.length;
    const readInTurn = async (connection: Connection) => {
      if (!mayBegin()) return;
      left--;
      await readOne(connection);
    };
    await Promise.all(shuffled(due, random).map((connection) => limit(() => readInTurn(connection))));
    return left === 0;
  };
  let steps = 0;
  let isAnyLeft = false;
  const run = await runInSteps(
    { progress: deps.registrationProgress, clock: deps.clock },
    async (cursor) => {
      steps++;
      // A new round begins with an empty cursor.
      const customers = await deps.customers.list({ limit: CUSTOMERS_PAGE, ...(cursor && { cursor }) });
      const turns = customers.items.filter(({ id }) => !done.has(id));
      const areDone = await Promise.all(turns.map(({ id }) => takeTurn(id)));
      for (const [i, { id }] of turns.entries()) if (areDone[i]) done.add(id);
      isAnyLeft ||= areDone.includes(false);
      // The same customers begin the next run, unless they would take up that one as well.
      if (isLate() && steps > 1) return cursor;
      if (customers.cursor !== undefined || !isAnyLeft) return customers.cursor;
      isAnyLeft = false;
      return isLate() ? undefined : '';
    },
    WORK_MS,
  );
  return run && { ...result, isComplete: run.isComplete && !isLate() };
}

async function listDue(deps: ReadRegistrationsDeps, customerId: string, now: Date): Promise<Connection[]> {
  const due: Connection[] = [];
  let cursor: string | undefined;
  do {
    const request = { limit: CONNECTIONS_PAGE, ...(cursor !== undefined && { cursor }) };
    const page = await deps.connections.list(customerId, request);
    due.push(...page.items.filter((connection) => isDue(connection, now)));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return due;
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

async function refresh(deps: ReadRegistrationsDeps, connection: Connection): Promise<'none' | 'read' | 'corrected'> {
  const view = await readRegistration(deps, connection);
  if (!view || !hasOwnApp(connection)) return 'none';
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
  // The vendor's app is registered in another tenant.
  if (connection.status !== 'ready' || !hasOwnApp(connection)) return false;
  const known = registrationOf(connection);
  return !known || now.getTime() - known.checkedAt.getTime() >= (known.isReadable ? READ_FOR_MS : REFUSED_FOR_MS);
}
