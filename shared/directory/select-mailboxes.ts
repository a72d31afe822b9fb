import type { Connection } from '../connections/connection.ts';
import type { Ledger } from '../imports/ledger/ledger.ts';
import type { Selection } from '../imports/selection.ts';
import type { RawRow } from '../imports/upload/parse-row.ts';
import { DomainError } from '../kernel/errors.ts';
import { BULK_LOOKUPS_MAX } from './connected-users.ts';
import type { DirectoryStore } from './directory-store.ts';
import { BULK_PAGE_SIZE, type ListDeps, listDirectory } from './list-directory.ts';
import { requireRead } from './require-directory.ts';
import { type SelectGroupDeps, selectGroup } from './select-group.ts';
import type { Selected } from './selected.ts';
import { beginSearch, type SearchDeps } from './selection-search.ts';

/** What an import is to take: all that is not connected, or the members of a group. */
export type SelectionRequest = { select: 'allUnconnected' } | { group: string };

export interface SelectDeps extends Omit<ListDeps & SelectGroupDeps, 'directory' | 'ledger'>, SearchDeps {
  directory: DirectoryStore;
  ledger: Pick<Ledger, 'peekMailboxes' | 'peekIdentified' | 'getMailboxes'>;
  /** How many mailboxes one selection takes. */
  selectionMax: number;
}

/**
 * Selects mailboxes of a connection's tenant that can be imported and are not connected, at most `selectionMax`. Those of
 * the directory come as they were last read, and do not cost a request to Microsoft.
 *
 * Looks for about `SEARCH_MAX_MS`. What it has found until then is the selection.
 *
 * @param cursor where an earlier request has stopped that found nothing
 * @throws DomainError `directory_unavailable` if the directory was not read yet, or the app may not read the group
 * @throws DomainError `nothing_selected`, or `selection_incomplete` if it has found nothing so far
 * @throws DomainError `validation_failed` if there is no such group
 * @throws DomainError `microsoft_throttled`, `microsoft_unavailable`
 */
export async function selectMailboxes(
  deps: SelectDeps,
  connection: Connection,
  request: SelectionRequest,
  cursor?: string,
): Promise<Selected> {
  const selected =
    'group' in request
      ? await selectGroup(deps, connection, request.group, cursor)
      : await selectUnconnected(deps, connection, cursor);
  if (selected.rows.length > 0) return selected;
  throw new DomainError('nothing_selected', explainNothing(selected.selection));
}

function explainNothing({ from }: Selection): string {
  const of = from === 'group' ? 'Every member of the group' : 'Every mailbox of the tenant';
  return `${of} that can be imported is connected already, so there is nothing to do.`;
}

async function selectUnconnected(deps: SelectDeps, { id }: Connection, cursor: string | undefined): Promise<Selected> {
  const search = beginSearch(deps, 'directory', cursor);
  requireRead((await deps.directory.get(id))?.value);
  const rows: RawRow[] = [];
  const addresses = new Set<string>();
  const done = (hasMore: boolean): Selected => ({
    rows,
    selection: { from: 'directory', selected: rows.length, hasMore },
  });
  const filter = { isEligible: true, isConnected: false };
  let next = search.from;
  do {
    const request = { limit: BULK_PAGE_SIZE, ...(next !== undefined && { cursor: next }) };
    const page = await listDirectory(deps, id, request, filter, BULK_LOOKUPS_MAX);
    for (const { entry } of page.items) {
      // Two accounts may have the same address.
      if (addresses.has(entry.address)) continue;
      if (rows.length === deps.selectionMax) return done(true);
      addresses.add(entry.address);
      rows.push({ address: entry.address, displayName: entry.displayName });
    }
    next = page.cursor;
  } while (next !== undefined && !search.isOver());
  if (next !== undefined && rows.length === 0) {
    throw search.stoppedAt(next, 'Every mailbox that was looked at so far is connected.');
  }
  return done(next !== undefined);
}
