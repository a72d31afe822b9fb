import { type Directory, type Entry, isDirectoryUser } from '../directory.ts';
import {
  type DirectoryCall,
  type DirectoryOperation,
  directoryResponse,
  notAllowed,
  resourceNotFound,
  unsupportedQuery,
} from './directory-call.ts';
import { basicUserProperties, defaultUserProperties, presentUser } from './directory-wire.ts';
import { nextLink, readCount, readFilter } from './odata.ts';
import type { Filter } from './odata-filter.ts';
import type { GraphResponse } from './responses.ts';

const userReadPermissions = [
  'User.ReadBasic.All',
  'User.Read.All',
  'User.ReadWrite.All',
  'Directory.Read.All',
] as const;

/** `in` with more than the 15 values that the directory accepts. */
const longIn = /\bin\s*\((?:[^,()]*,){15}/i;
const TOO_MANY_VALUES =
  "Too many child clauses specified in search filter expression containing 'OR' operators: 16. Max allowed: 15.";

type UserFilter = Filter<Record<string, unknown>>;

export const canReadUsers = ({ roles }: DirectoryCall): boolean =>
  roles.some((role) => userReadPermissions.some((name) => name === role));

function canSeeAll({ roles }: DirectoryCall): boolean {
  return roles.some((role) => role !== 'User.ReadBasic.All' && userReadPermissions.some((name) => name === role));
}

/** The properties that the query asks for and the app may see. */
export function presentVisible(context: DirectoryCall, entry: Entry): Record<string, unknown> {
  const { call } = context;
  const user = presentUser(entry);
  const visible: readonly string[] = canSeeAll(context) ? Object.keys(user) : basicUserProperties;
  const wanted =
    call.query
      .get('$select')
      ?.split(',')
      .map((name) => name.trim()) ?? defaultUserProperties;
  const names = new Set<string>([...wanted, 'id']);
  return Object.fromEntries(Object.entries(user).filter(([name]) => names.has(name) && visible.includes(name)));
}

export function contextOf({ call }: DirectoryCall): string {
  const select = call.query.get('$select');
  return `users${select ? `(${select})` : ''}`;
}

/** Finds a user by id or UPN only. An alias gives 404, as in Graph. */
export const getUser: DirectoryOperation = {
  permissions: userReadPermissions,
  run(context) {
    const name = context.params.user ?? '';
    const { directory } = context.tenant;
    const entry = directory.byId(name) ?? directory.byUpn(name);
    if (!entry || !isDirectoryUser(entry)) return resourceNotFound(context.call, name);
    return directoryResponse(`${contextOf(context)}/$entity`, presentVisible(context, entry));
  },
};

export const listUsers: DirectoryOperation = {
  permissions: userReadPermissions,
  units: 2,
  run(context) {
    const { call, tenant } = context;
    const { query } = call;
    const read = readFilter(query);
    if ('invalid' in read) return unsupportedQuery(call, read.invalid);
    const { filter } = read;
    if (longIn.test(query.get('$filter') ?? '')) return unsupportedQuery(call, TOO_MANY_VALUES);
    const isAdvanced = /\bne\b|\bnot\b|endswith/i.test(query.get('$filter') ?? '');
    const isEventual = call.header('consistencylevel')?.toLowerCase() === 'eventual';
    const wantsCount = query.get('$count') === 'true';
    if (isAdvanced && !(isEventual && wantsCount)) {
      return unsupportedQuery(call, 'Operator is not supported because the required parameters might be missing.');
    }
    // An app cannot find out by a filter what it may not read (microsoftgraph/microsoft-graph-toolkit#2602).
    if (!canSeeAll(context) && [...(filter?.paths ?? [])].some((path) => !isBasic(path))) return notAllowed(call);
    const indexed = filter?.alternatives && findByIndexes(tenant.directory, filter.alternatives);
    const page = indexed ? singlePage(indexed, filter) : scanPage(context, filter);
    return presentPage(context, page, wantsCount && isEventual);
  },
};

function isBasic(path: string): boolean {
  return basicUserProperties.some((name) => name === path);
}

interface Page {
  users: Entry[];
  count(): number;
  /** Where the next page starts; `undefined` on the last page. */
  next: number | undefined;
}

/**
 * Looks each value up in its index. Returns `undefined` if one of the properties has no index, or if several users match:
 * they are in the order of the directory.
 */
function findByIndexes(directory: Directory, wanted: readonly { path: string; value: string }[]): Entry[] | undefined {
  const found = new Set<Entry>();
  for (const one of wanted) {
    const entries = findByIndex(directory, one);
    if (!entries) return undefined;
    for (const entry of entries) found.add(entry);
  }
  return found.size > 1 ? undefined : [...found];
}

/** Looks the value up in an index. Returns `undefined` if the property has no index. */
function findByIndex(directory: Directory, { path, value }: { path: string; value: string }): Entry[] | undefined {
  const find = (): Entry | undefined => {
    if (path === 'id') return directory.byId(value);
    if (path === 'userPrincipalName') return directory.byUpn(value);
    return directory.byAddress(value.replace(/^smtp:/i, ''));
  };
  if (!['id', 'userPrincipalName', 'mail', 'proxyAddresses'].includes(path)) return undefined;
  const entry = find();
  return entry && isDirectoryUser(entry) ? [entry] : [];
}

/** What the filters of a person can find is few, so it is one page. */
function singlePage(found: Entry[], filter: UserFilter | undefined): Page {
  const users = found.filter((entry) => filter?.matches(presentUser(entry)) ?? true);
  return { users, count: () => users.length, next: undefined };
}

function scanPage({ call, tenant }: DirectoryCall, filter: UserFilter | undefined): Page {
  const top = Math.max(1, readCount(call.query, '$top', 100, 999));
  const from = Number(Buffer.from(call.query.get('$skiptoken') ?? '', 'base64url').toString() || '0');
  const start = Number.isInteger(from) && from > 0 ? from : 0;
  const users: Entry[] = [];
  let position = start;
  let next: number | undefined;
  for (const entry of tenant.directory.users(start)) {
    if (users.length === top) {
      next = position;
      break;
    }
    position += 1;
    if (!filter || filter.matches(presentUser(entry))) users.push(entry);
  }
  return { users, count: () => countUsers(tenant.directory, call.query.get('$filter'), filter), next };
}

/** Every simulated user has a mail address, so `mail ne null` is counted without reading a large tenant. */
function countUsers(directory: Directory, filterText: string | null, filter: UserFilter | undefined): number {
  if (!filter || filterText?.trim() === 'mail ne null') return directory.userCount;
  let count = 0;
  for (const entry of directory.users()) if (filter.matches(presentUser(entry))) count += 1;
  return count;
}

function presentPage(context: DirectoryCall, page: Page, withCount: boolean): GraphResponse {
  const { call, world } = context;
  const token = page.next === undefined ? undefined : Buffer.from(String(page.next)).toString('base64url');
  return directoryResponse(contextOf(context), {
    ...(withCount ? { '@odata.count': page.count() } : {}),
    ...(token === undefined ? {} : { '@odata.nextLink': nextLink(world.url, call, '$skiptoken', token) }),
    value: page.users.map((entry) => presentVisible(context, entry)),
  });
}
