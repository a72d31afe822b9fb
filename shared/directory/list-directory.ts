import type { Ledger } from '../imports/ledger/ledger.ts';
import type { Page, PageRequest } from '../kernel/page.ts';
import { isTaken } from '../mailboxes/mailbox.ts';
import { BULK_LOOKUPS_MAX, PAGE_LOOKUPS_MAX, peekConnectedUsers } from './connected-users.ts';
import type { DirectoryEntry } from './directory-entry.ts';
import type { DirectoryStore, EntryFilter } from './directory-store.ts';

export interface ListDeps {
  directory: Pick<DirectoryStore, 'list' | 'cursorAfter'>;
  ledger: Pick<Ledger, 'peekMailboxes' | 'peekIdentified'>;
}

export interface ListedEntry {
  entry: DirectoryEntry;
  /**
   * Whether the connection looks after this mailbox already, under this address or another one. An import would take it for
   * a duplicate, or end as `same_mailbox`.
   */
  isConnected: boolean;
}

export interface ListFilter extends EntryFilter {
  isConnected?: boolean;
}

/**
 * One page of a tenant's directory as it was last read, ordered by address, and what of it is connected now. Never asks
 * Microsoft, and makes a bounded number of storage requests: a page may be short or empty, see `Page`.
 */
export async function listDirectory(
  deps: ListDeps,
  connectionId: string,
  request: PageRequest,
  { isConnected, ...filter }: ListFilter,
  lookupsMax = PAGE_LOOKUPS_MAX,
): Promise<Page<ListedEntry>> {
  const page = await deps.directory.list(connectionId, request, filter);
  if (page.items.length === 0) return { ...page, items: [] };
  const addresses = page.items.map(({ address }) => address);
  const { mailboxes, answered } = await deps.ledger.peekMailboxes(connectionId, addresses);
  const peeked = page.items.slice(0, answered);
  const others = peeked.filter(({ address }) => !isTaken(mailboxes.get(address)));
  const ids = others.map(({ id }) => id);
  const byId = await peekConnectedUsers(deps.ledger, connectionId, ids, lookupsMax);
  const unknown = others[byId.answered];
  const known = unknown ? peeked.slice(0, peeked.indexOf(unknown)) : peeked;
  const last = known.at(-1);
  const isCut = known.length < page.items.length && last !== undefined;
  const cursor = isCut ? deps.directory.cursorAfter(last) : page.cursor;
  const items = known
    .map((entry) => ({ entry, isConnected: isTaken(mailboxes.get(entry.address)) || byId.connected.has(entry.id) }))
    .filter((item) => isConnected === undefined || item.isConnected === isConnected);
  return cursor === undefined ? { items } : { items, cursor };
}

/** The largest page that storage returns. */
export const BULK_PAGE_SIZE = 1_000;

/** All pages, each read when it is asked for. */
export async function* eachDirectoryPage(
  deps: ListDeps,
  connectionId: string,
  filter: ListFilter,
): AsyncGenerator<readonly ListedEntry[]> {
  let cursor: string | undefined;
  do {
    const request = { limit: BULK_PAGE_SIZE, ...(cursor !== undefined && { cursor }) };
    const page = await listDirectory(deps, connectionId, request, filter, BULK_LOOKUPS_MAX);
    yield page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}
