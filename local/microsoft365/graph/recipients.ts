import type { Entry } from '../directory.ts';
import { type DirectoryOperation, directoryResponse, unsupportedQuery } from './directory-call.ts';
import { presentContact, presentGroup, presentUser } from './directory-wire.ts';
import { applySelect, readFilter } from './odata.ts';

/** Lists the directory entries of one kind. Reads all of them, so it is only for small collections. */
function listEntries(
  path: string,
  permissions: readonly string[],
  kind: Entry['kind'],
  present: (entry: Entry) => Record<string, unknown>,
): DirectoryOperation {
  return {
    permissions,
    run({ call, tenant }) {
      const read = readFilter(call.query);
      if ('invalid' in read) return unsupportedQuery(call, read.invalid);
      const { filter } = read;
      const entries = tenant.directory.ofKind(kind).map(present);
      const matching = filter ? entries.filter((item) => filter.matches(item)) : entries;
      return directoryResponse(path, {
        ...(call.query.get('$count') === 'true' ? { '@odata.count': matching.length } : {}),
        value: matching.slice(0, 999).map((item) => applySelect(item, call.query, ['id'])),
      });
    },
  };
}

export const listGroups = listEntries(
  'groups',
  ['Group.ReadBasic.All', 'Group.Read.All', 'GroupMember.Read.All', 'Directory.Read.All'],
  'group',
  presentGroup,
);

export const listContacts = listEntries(
  'contacts',
  ['OrgContact.Read.All', 'Directory.Read.All'],
  'contact',
  presentContact,
);

export const listDeletedUsers = listEntries(
  'directory/deletedItems/microsoft.graph.user',
  ['User.Read.All', 'Directory.Read.All'],
  'softDeleted',
  (entry) => ({ ...presentUser(entry), deletedDateTime: '2026-01-01T00:00:00Z' }),
);
