import type { Entry } from '../directory.ts';
import type { UserChange } from '../user-changes.ts';
import { type DirectoryCall, type DirectoryOperation, directoryResponse, unsupportedQuery } from './directory-call.ts';
import type { GraphCall } from './graph-call.ts';
import { readCount } from './odata.ts';
import { frontDoorError, type GraphResponse } from './responses.ts';
import { contextOf, presentVisible } from './users.ts';

/**
 * What a `$deltatoken` or a `$skiptoken` stands for. The query of the first request is in it, because a client sends
 * nothing else with it.
 */
interface Token {
  history: string;
  /** The version up to which the client knows the changes. Absent while it reads all users for the first time. */
  known?: number;
  /** Of a page: the version up to which this round tells changes, and how much of it the client has. */
  upTo?: number;
  skip?: number;
  issuedAt: number;
  query: string;
}

const seal = (token: Token): string => Buffer.from(JSON.stringify(token)).toString('base64url');

function open(text: string): Token | undefined {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined;
  }
}

/**
 * Delta query of users. The first round has all users; with `$deltatoken=latest` it has none. A later round has the
 * users that have changed, each with its `id` and the properties that changed, and the removed ones as `@removed`.
 * https://learn.microsoft.com/graph/delta-query-users
 */
export const deltaUsers: DirectoryOperation = {
  permissions: ['User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All'],
  units: 2,
  run(context) {
    const { call, tenant } = context;
    const { query } = call;
    const history = tenant.userChanges;
    const given = query.get('$deltatoken') ?? query.get('$skiptoken');
    const refused = ['$filter', '$orderby', '$count', '$search'].find((name) => query.has(name));
    if (refused) return unsupportedQuery(call, `The query parameter '${refused}' is not supported with delta.`);
    const issuedAt = Date.now();
    const base = { history: history.id, issuedAt, query: query.toString() };
    if (given === null) return firstRound(context, { ...base, upTo: history.version, skip: 0 });
    if (given === 'latest') {
      query.delete('$deltatoken');
      return answer(context, [], { deltaToken: { ...base, query: query.toString(), known: history.version } });
    }
    const token = open(given);
    if (!token) return frontDoorError(call, 400, 'BadRequest', 'Badly formed token.');
    const { validSeconds, expiredAnswer } = tenant.scenario.deltaLinks;
    if (token.history !== history.id || issuedAt - token.issuedAt > validSeconds * 1000) {
      return expired(call, expiredAnswer);
    }
    const first = { ...context, call: { ...call, query: new URLSearchParams(token.query) } };
    if (token.known === undefined)
      return firstRound(first, { ...token, upTo: token.upTo ?? history.version, skip: token.skip ?? 0, issuedAt });
    return laterRound(first, { ...token, issuedAt, upTo: token.upTo ?? history.version, skip: token.skip ?? 0 });
  },
};

type Round = Token & { upTo: number; skip: number };

const pageSize = ({ query }: GraphCall): number => Math.max(1, readCount(query, '$top', 100, 999));

function firstRound(context: DirectoryCall, round: Round): GraphResponse {
  const top = pageSize(context.call);
  const entries: Entry[] = [];
  let next: number | undefined;
  for (const entry of context.tenant.directory.users(round.skip)) {
    if (entries.length === top) {
      next = round.skip + top;
      break;
    }
    entries.push(entry);
  }
  const { skip: _skip, upTo, ...rest } = round;
  return answer(
    context,
    entries.map((entry) => presentVisible(context, entry)),
    next === undefined ? { deltaToken: { ...rest, known: upTo } } : { skipToken: { ...round, skip: next } },
  );
}

function laterRound(context: DirectoryCall, round: Round): GraphResponse {
  const { known = 0, upTo, skip } = round;
  const top = pageSize(context.call);
  const changes = context.tenant.userChanges.between(known, upTo);
  const { skip: _skip, upTo: _upTo, ...rest } = round;
  return answer(
    context,
    changes.slice(skip, skip + top).map((change) => presentChange(context, change)),
    skip + top < changes.length
      ? { skipToken: { ...round, skip: skip + top } }
      : { deltaToken: { ...rest, known: upTo } },
  );
}

function presentChange(context: DirectoryCall, change: UserChange): Record<string, unknown> {
  const entry = context.tenant.directory.byId(change.id);
  // A removed user can be restored for 30 days, which is the reason `changed`.
  if (change.kind === 'removed' || !entry) return { id: change.id, '@removed': { reason: 'changed' } };
  const visible = presentVisible(context, entry);
  if (change.kind === 'added') return visible;
  return Object.fromEntries(Object.entries(visible).filter(([name]) => name === 'id' || change.properties.has(name)));
}

function answer(
  context: DirectoryCall,
  value: object[],
  { deltaToken, skipToken }: { deltaToken?: Token; skipToken?: Token },
): GraphResponse {
  const { call, world } = context;
  const link = (name: string, token: Token) => `${world.url}/v1.0${call.path}?${name}=${seal(token)}`;
  return directoryResponse(contextOf(context), {
    ...(skipToken && { '@odata.nextLink': link('$skiptoken', skipToken) }),
    ...(deltaToken && { '@odata.deltaLink': link('$deltatoken', deltaToken) }),
    value,
  });
}

function expired(call: GraphCall, how: 'badRequest' | 'gone'): GraphResponse {
  const message =
    'The sync state generation is not found. The delta token is expired and data must be synchronized again.';
  return how === 'gone'
    ? frontDoorError(call, 410, 'syncStateNotFound', message, { Location: call.path })
    : frontDoorError(call, 400, 'syncStateNotFound', message);
}
