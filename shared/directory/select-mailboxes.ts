import type { Connection } from '../connections/connection.ts';
import type { Ledger } from '../imports/ledger/ledger.ts';
import type { Selection } from '../imports/selection.ts';
import type { RawRow } from '../imports/upload/parse-row.ts';
import { DomainError } from '../kernel/errors.ts';
import type { DirectoryStore } from './directory-store.ts';
import { eachDirectoryPage, type ListDeps } from './list-directory.ts';
import { requireRead } from './require-directory.ts';
import { type SelectGroupDeps, selectGroup } from './select-group.ts';
import type { Selected } from './selected.ts';

/** What an import is to take: all that is not connected, or the members of a group. */
export type SelectionRequest = { select: 'allUnconnected' } | { group: string };

export interface SelectDeps extends Omit<ListDeps & SelectGroupDeps, 'directory' | 'ledger'> {
  directory: DirectoryStore;
  ledger: Pick<Ledger, 'peekMailboxes' | 'peekIdentified' | 'getMailboxes'>;
  /** How many mailboxes one selection takes. */
  selectionMax: number;
}

/**
 * Selects mailboxes of a connection's tenant that can be imported and are not connected, at most `selectionMax`. Those of
 * the directory come as they were last read, and do not cost a request to Microsoft.
 *
 * @throws DomainError `directory_unavailable` if the directory was not read yet, or the app may not read the group
 * @throws DomainError `nothing_selected`
 * @throws DomainError `validation_failed` if there is no such group
 * @throws DomainError `microsoft_throttled`, `microsoft_unavailable`
 */
export async function selectMailboxes(
  deps: SelectDeps,
  connection: Connection,
  request: SelectionRequest,
): Promise<Selected> {
  const selected =
    'group' in request ? await selectGroup(deps, connection, request.group) : await selectUnconnected(deps, connection);
  if (selected.rows.length > 0) return selected;
  throw new DomainError('nothing_selected', explainNothing(selected.selection));
}

function explainNothing({ from, hasMore, connected = 0, ineligible = 0 }: Selection): string {
  if (hasMore) {
    return `The first ${connected + ineligible} members of the group are connected already or cannot be imported, and no more of a group are read. Choose a smaller group, or send a list of mailboxes.`;
  }
  const of = from === 'group' ? 'Every member of the group' : 'Every mailbox of the tenant';
  return `${of} that can be imported is connected already, so there is nothing to do.`;
}

async function selectUnconnected(deps: SelectDeps, { id }: Connection): Promise<Selected> {
  requireRead((await deps.directory.get(id))?.value);
  const rows: RawRow[] = [];
  const done = (hasMore: boolean): Selected => ({
    rows,
    selection: { from: 'directory', selected: rows.length, hasMore },
  });
  const addresses = new Set<string>();
  for await (const page of eachDirectoryPage(deps, id, { isEligible: true, isConnected: false })) {
    for (const { entry } of page) {
      // Two accounts may have the same address.
      if (addresses.has(entry.address)) continue;
      if (rows.length === deps.selectionMax) return done(true);
      addresses.add(entry.address);
      rows.push({ address: entry.address, displayName: entry.displayName });
    }
  }
  return done(false);
}
