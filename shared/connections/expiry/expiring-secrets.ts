import pLimit from 'p-limit';
import type { Clock } from '../../kernel/clock.ts';
import type { Page, PageRequest } from '../../kernel/page.ts';
import { changeConnection } from '../change-connection.ts';
import { type Connection, hasOwnApp, type OwnConnection } from '../connection.ts';
import type { ConnectionStore } from '../connection-store.ts';
import { type CredentialKind, type CredentialState, credentialStateOf, daysLeft } from '../credentials/credential.ts';
import type { ExpiryIndex, ExpiryKey } from './expiry-index.ts';
import { type NewerCredentials, newerCredentialsOf } from './newer-credential.ts';
import { alertOf } from './secret-alert.ts';

/** A client secret or a certificate that expires. */
export interface ExpiringSecret {
  customerId: string;
  connectionId: string;
  name: string;
  /** What expires. */
  credential: CredentialKind;
  expiresAt: Date;
  daysLeft: number;
  state: CredentialState;
  acknowledgedAt?: Date;
  /** Notices are snoozed until then. */
  snoozeEndsAt?: Date;
  /** What Microsoft Entra shows that may replace it. */
  newer: NewerCredentials;
}

/** Secrets in one page, because each costs a read of its connection. */
export const EXPIRING_PAGE_MAX = 50;

const READS_AT_ONCE = 16;
const DAY_MS = 86_400_000;
/** The record of a younger entry may still be on its way. */
const STALE_AFTER_MS = 3_600_000;

/**
 * One page of the credentials that have expired or expire within `withinDays`, soonest first.
 *
 * A page has at most `EXPIRING_PAGE_MAX` of them. It may be shorter than `limit`, or even empty, and still have a cursor.
 *
 * @param customerId limits the list to one customer
 */
export async function listExpiringSecrets(
  deps: { connections: Pick<ConnectionStore, 'get'>; expiryIndex: Pick<ExpiryIndex, 'list'>; clock: Clock },
  customerId: string | undefined,
  withinDays: number,
  request: PageRequest,
): Promise<Page<ExpiringSecret>> {
  const now = deps.clock.now();
  const { items: entries, ...rest } = await deps.expiryIndex.list(customerId, {
    ...request,
    limit: Math.min(request.limit, EXPIRING_PAGE_MAX),
    until: new Date(now.getTime() + withinDays * DAY_MS),
  });
  const limit = pLimit(READS_AT_ONCE);
  const found = await Promise.all(entries.map((entry) => limit(() => readCurrent(deps, entry))));
  const items = found.flatMap((connection) =>
    connection ? [present(connection, now, credentialStateOf(connection, now, withinDays))] : [],
  );
  return { ...rest, items };
}

interface FindDeps {
  connections: Pick<ConnectionStore, 'listAll' | 'get' | 'update'>;
  expiryIndex: Pick<ExpiryIndex, 'put' | 'remove' | 'each'>;
  clock: Clock;
  expiringWithinDays: number;
}

/** Receives a connection that the daily run could not work on, and why. */
export type ExpiryFailed = (connection: { customerId: string; connectionId: string }, error: unknown) => void;

interface FindReports {
  /** Receives every credential that is expiring or has expired. */
  expiring(secret: ExpiringSecret): void;
  failed: ExpiryFailed;
}

/**
 * The daily check: stores the state of each connection's credential, reports every one that is expiring or
 * expired, and repairs the index. Repeatable. One that fails does not hold up the others.
 */
export async function findExpiringSecrets(deps: FindDeps, { expiring, failed }: FindReports): Promise<void> {
  const now = deps.clock.now();
  for await (const entry of deps.expiryIndex.each()) {
    const isYoung = now.getTime() - entry.notedAt.getTime() < STALE_AFTER_MS;
    if (isYoung) continue;
    await removeIfStale(deps, entry).catch((error: unknown) => failed(entry, error));
  }
  for await (const connection of deps.connections.listAll()) {
    if (!hasOwnApp(connection)) continue;
    const state = credentialStateOf(connection, now, deps.expiringWithinDays);
    if (state !== 'valid') expiring(present(connection, now, state));
    const { customerId, id: connectionId } = connection;
    await noteExpiry(deps, connection, now).catch((error: unknown) => failed({ customerId, connectionId }, error));
  }
}

async function removeIfStale(deps: FindDeps, entry: ExpiryKey): Promise<void> {
  if (!(await readCurrent(deps, entry))) await deps.expiryIndex.remove(entry);
}

/** Connections that were registered before there was an index get their entry here. */
async function noteExpiry(deps: FindDeps, connection: OwnConnection, now: Date): Promise<void> {
  const stateOf = (one: Connection) => credentialStateOf(one, now, deps.expiringWithinDays);
  await deps.expiryIndex.put({ ...expiryOf(connection), notedAt: now });
  if (stateOf(connection) === connection.credentialState) return;
  // The credential may have been replaced since it was listed.
  await changeConnection(deps.connections, connection.customerId, connection.id, (current) =>
    current.credentialState === stateOf(current) ? undefined : { ...current, credentialState: stateOf(current) },
  );
}

export function expiryOf(connection: OwnConnection): ExpiryKey {
  const { customerId, id, credential } = connection;
  return { customerId, connectionId: id, expiresAt: credential.expiresAt };
}

/** Resolves to the connection of an entry, or to `undefined` if the entry is stale. */
async function readCurrent(
  deps: { connections: Pick<ConnectionStore, 'get'> },
  { customerId, connectionId, expiresAt }: ExpiryKey,
): Promise<OwnConnection | undefined> {
  const connection = (await deps.connections.get(customerId, connectionId))?.value;
  if (!connection || !hasOwnApp(connection)) return undefined;
  return connection.credential.expiresAt.getTime() === expiresAt.getTime() ? connection : undefined;
}

function present(connection: OwnConnection, now: Date, state: CredentialState): ExpiringSecret {
  const { acknowledgedAt, snoozeEndsAt } = alertOf(connection, now);
  return {
    customerId: connection.customerId,
    connectionId: connection.id,
    name: connection.name,
    credential: connection.credential.kind,
    expiresAt: connection.credential.expiresAt,
    daysLeft: daysLeft(connection.credential.expiresAt, now),
    state,
    ...(acknowledgedAt && { acknowledgedAt }),
    ...(snoozeEndsAt && snoozeEndsAt > now && { snoozeEndsAt }),
    newer: newerCredentialsOf(connection),
  };
}
