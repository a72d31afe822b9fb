import { type Directory, type Entry, isDirectoryUser } from '../directory.ts';
import type { GraphAnswer } from './answers.ts';
import {
  type DirectoryCall,
  type DirectoryOperation,
  directoryAnswer,
  resourceNotFound,
  unsupportedQuery,
} from './directory-call.ts';
import { basicUserProperties, defaultUserProperties, presentUser } from './directory-wire.ts';
import { metadata, nextLink, whole } from './odata.ts';
import { type Filter, parseFilter, readPath } from './odata-filter.ts';

const readsUsers = ['User.ReadBasic.All', 'User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All'] as const;

/** What the query asks for, cut down to what the app may see. */
function shown({ call, roles }: DirectoryCall, entry: Entry): Record<string, unknown> {
  const user = presentUser(entry);
  const seesAll = roles.some((role) => role !== 'User.ReadBasic.All' && readsUsers.some((name) => name === role));
  const allowed: readonly string[] = seesAll ? Object.keys(user) : basicUserProperties;
  const asked =
    call.query
      .get('$select')
      ?.split(',')
      .map((name) => name.trim()) ?? defaultUserProperties;
  const names = new Set<string>([...asked, 'id']);
  return Object.fromEntries(Object.entries(user).filter(([name]) => names.has(name) && allowed.includes(name)));
}

/** By id or UPN, nothing else: an alias looks missing here. */
export const getUser: DirectoryOperation = {
  needs: readsUsers,
  run(context) {
    const name = context.params.user ?? '';
    const { directory } = context.tenant;
    const entry = directory.byId(name) ?? directory.byUpn(name);
    if (!entry || !isDirectoryUser(entry)) return resourceNotFound(context.call, name);
    const picked = context.call.query.get('$select');
    return directoryAnswer({
      '@odata.context': `${metadata}#users${picked ? `(${picked})` : ''}/$entity`,
      ...shown(context, entry),
    });
  },
};

export const listUsers: DirectoryOperation = {
  needs: readsUsers,
  units: 2,
  run(context) {
    const { call, tenant } = context;
    const { query } = call;
    const text = query.get('$filter');
    const filter = text === null ? undefined : parseFilter(text, readPath);
    if (text !== null && !filter) return unsupportedQuery(call, `Invalid filter clause: '${text}'.`);
    const isAdvanced = text !== null && /\bne\b|\bnot\b|endswith/i.test(text);
    const isEventual = call.header('consistencylevel')?.toLowerCase() === 'eventual';
    const counts = query.get('$count') === 'true';
    if (isAdvanced && !(isEventual && counts)) {
      return unsupportedQuery(call, 'Operator is not supported because the required parameters might be missing.');
    }
    const indexed = filter?.equality && byEquality(tenant.directory, filter.equality);
    const page = indexed ? onePage(indexed, filter) : pageOf(context, filter);
    return answerPage(context, page, counts && isEventual);
  },
};

interface Page {
  users: Entry[];
  count(): number;
  next: number | undefined;
}

/** What an index knows; `undefined` where the property has none. */
function byEquality(directory: Directory, { path, value }: { path: string; value: string }): Entry[] | undefined {
  const find = (): Entry | undefined => {
    if (path === 'id') return directory.byId(value);
    if (path === 'userPrincipalName') return directory.byUpn(value);
    return directory.byAddress(value.replace(/^smtp:/i, ''));
  };
  if (!['id', 'userPrincipalName', 'mail', 'proxyAddresses'].includes(path)) return undefined;
  const entry = find();
  return entry && isDirectoryUser(entry) ? [entry] : [];
}

function onePage(found: Entry[], filter: Filter<Record<string, unknown>> | undefined): Page {
  const users = found.filter((entry) => filter?.matches(presentUser(entry)) ?? true);
  return { users, count: () => users.length, next: undefined };
}

function pageOf({ call, tenant }: DirectoryCall, filter: Filter<Record<string, unknown>> | undefined): Page {
  const top = Math.max(1, whole(call.query, '$top', 100, 999));
  const from = Number(Buffer.from(call.query.get('$skiptoken') ?? '', 'base64url').toString() || '0');
  const start = Number.isInteger(from) && from > 0 ? from : 0;
  const users: Entry[] = [];
  let seen = start;
  let next: number | undefined;
  for (const entry of tenant.directory.users(start)) {
    if (users.length === top) {
      next = seen;
      break;
    }
    seen += 1;
    if (!filter || filter.matches(presentUser(entry))) users.push(entry);
  }
  return { users, count: () => countOf(tenant.directory, call.query.get('$filter'), filter), next };
}

/** Everybody has an address here, so the usual filter needs no walk through a large tenant. */
function countOf(
  directory: Directory,
  text: string | null,
  filter: Filter<Record<string, unknown>> | undefined,
): number {
  if (!filter || text?.trim() === 'mail ne null') return directory.userCount;
  let count = 0;
  for (const entry of directory.users()) if (filter.matches(presentUser(entry))) count += 1;
  return count;
}

function answerPage(context: DirectoryCall, page: Page, withCount: boolean): GraphAnswer {
  const { call, world } = context;
  const token = page.next === undefined ? undefined : Buffer.from(String(page.next)).toString('base64url');
  const picked = call.query.get('$select');
  return directoryAnswer({
    '@odata.context': `${metadata}#users${picked ? `(${picked})` : ''}`,
    ...(withCount ? { '@odata.count': page.count() } : {}),
    ...(token === undefined ? {} : { '@odata.nextLink': nextLink(world.url, call, '$skiptoken', token) }),
    value: page.users.map((entry) => shown(context, entry)),
  });
}
