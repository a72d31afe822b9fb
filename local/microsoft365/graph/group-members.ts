import type { Entry } from '../directory.ts';
import { isDirectoryUser } from '../directory.ts';
import {
  type DirectoryCall,
  type DirectoryOperation,
  directoryResponse,
  resourceNotFound,
  unsupportedQuery,
} from './directory-call.ts';
import { defaultUserProperties, presentContact, presentGroup } from './directory-wire.ts';
import { applySelect, nextLink, readCount } from './odata.ts';
import { canReadUsers, presentVisible } from './users.ts';

const groupReadPermissions = ['Group.ReadBasic.All', 'Group.Read.All', 'GroupMember.Read.All', 'Directory.Read.All'];
const memberReadPermissions = ['GroupMember.Read.All', 'Group.Read.All', 'Directory.Read.All'];

const findGroup = ({ tenant, params }: DirectoryCall): Entry | undefined => {
  const entry = tenant.directory.byId(params.group ?? '');
  return entry?.kind === 'group' ? entry : undefined;
};

/** Finds a group by its id only. */
export const getGroup: DirectoryOperation = {
  permissions: groupReadPermissions,
  run(context) {
    const group = findGroup(context);
    if (!group) return resourceNotFound(context.call, context.params.group ?? '');
    return directoryResponse('groups/$entity', applySelect(presentGroup(group), context.call.query, ['id']));
  },
};

/** The direct members of a group. With `usersOnly`, what the cast to `microsoft.graph.user` gives. */
function memberList(usersOnly: boolean): DirectoryOperation {
  return {
    permissions: memberReadPermissions,
    run(context) {
      const { call, tenant, world } = context;
      const group = findGroup(context);
      if (!group) return resourceNotFound(call, context.params.group ?? '');
      if (call.query.has('$filter')) return unsupportedQuery(call, 'Unsupported Query.');
      const members = group.members
        .map((name) => tenant.directory.byAddress(name) ?? tenant.directory.byId(name))
        .filter((entry) => entry !== undefined)
        .filter((entry) => !usersOnly || isDirectoryUser(entry));
      const top = Math.max(1, readCount(call.query, '$top', 100, 999));
      const from = Number(Buffer.from(call.query.get('$skiptoken') ?? '', 'base64url').toString() || '0');
      const to = from + top;
      const token = Buffer.from(String(to)).toString('base64url');
      return directoryResponse(usersOnly ? 'users' : 'directoryObjects', {
        ...(to < members.length && { '@odata.nextLink': nextLink(world.url, call, '$skiptoken', token) }),
        value: members.slice(from, to).map((entry) => presentMember(context, entry, usersOnly)),
      });
    },
  };
}

export const listMembers = memberList(false);
export const listUserMembers = memberList(true);

/** A member whose type the app may not read has its type and its id, and nothing else. */
function presentMember(context: DirectoryCall, entry: Entry, usersOnly: boolean): Record<string, unknown> {
  const { query } = context.call;
  if (entry.kind === 'group') {
    return { '@odata.type': '#microsoft.graph.group', ...applySelect(presentGroup(entry), query, ['id']) };
  }
  if (!isDirectoryUser(entry)) {
    return { '@odata.type': '#microsoft.graph.orgContact', ...applySelect(presentContact(entry), query, ['id']) };
  }
  const type = usersOnly ? {} : { '@odata.type': '#microsoft.graph.user' };
  if (canReadUsers(context)) return { ...type, ...presentVisible(context, entry) };
  const wanted = query.get('$select')?.split(',') ?? defaultUserProperties;
  return { ...type, ...Object.fromEntries(wanted.map((name) => [name.trim(), null])), id: entry.id };
}
