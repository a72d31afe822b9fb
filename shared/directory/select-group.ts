import { classify, isWaitCause } from '../causes/classify.ts';
import type { Refusal } from '../causes/refusal.ts';
import type { Answer } from '../checks/answer.ts';
import type { Connection } from '../connections/connection.ts';
import type { Tokens } from '../connections/tokens.ts';
import type { Ledger } from '../imports/ledger/ledger.ts';
import type { RawRow } from '../imports/upload/parse-row.ts';
import { parseAddress } from '../kernel/address.ts';
import { DomainError } from '../kernel/errors.ts';
import { isTaken } from '../mailboxes/mailbox.ts';
import { findConnectedUsers } from './connected-users.ts';
import { isExpiredLink, isPermissionRefusal, needsFreshToken } from './directory-finding.ts';
import type { DirectoryStore } from './directory-store.ts';
import { explainFinding } from './require-directory.ts';
import type { Selected } from './selected.ts';
import { badCursor, beginSearch, type SearchDeps } from './selection-search.ts';
import type { GroupMember, TenantGroup, TenantGroups } from './tenant-groups.ts';
import type { DirectoryAccess } from './tenant-users.ts';

export interface SelectGroupDeps extends SearchDeps {
  tenantGroups: TenantGroups;
  tokens: Pick<Tokens, 'get' | 'forget'>;
  directory: Pick<DirectoryStore, 'getMany'>;
  ledger: Pick<Ledger, 'getMailboxes' | 'peekIdentified'>;
  selectionMax: number;
}

/** The least permissions for the members of a group, and for the addresses of members. */
const MEMBERS_PERMISSION = 'GroupMember.Read.All';
const USERS_PERMISSION = 'User.ReadBasic.All';

const NESTED_NAMED_MAX = 20;

/**
 * Selects the direct members of a group that can be imported and are not connected. Reads the group now, page by page,
 * and stops when it has enough, or when the time of the search is over. What the directory has told about a member counts,
 * if it was read.
 */
export async function selectGroup(
  deps: SelectGroupDeps,
  connection: Connection,
  name: string,
  cursor: string | undefined,
): Promise<Selected> {
  const ask = createAsk(deps, connection);
  const group = await ask((access) => deps.tenantGroups.find(access, name.trim()));
  if (!group) throw noSuchGroup();
  const search = beginSearch(deps, group.id, cursor);
  const rows: RawRow[] = [];
  const nested: TenantGroup[] = [];
  const addresses = new Set<string>();
  const counts = { connected: 0, ineligible: 0 };
  let hasMore = false;
  let link = search.from;
  do {
    const from = link;
    const page = await ask(
      (access) => deps.tenantGroups.members(access, group.id, from),
      from === undefined ? undefined : isExpiredLink,
    );
    nested.push(...page.groups);
    counts.ineligible += page.others;
    const members = await findMembers(deps, connection.id, page.users);
    const mailboxes = await deps.ledger.getMailboxes(
      connection.id,
      members.flatMap(({ address }) => address ?? []),
    );
    const others = members.filter(({ address = '' }) => address && !isTaken(mailboxes.get(address)?.value));
    const ids = others.map(({ id }) => id);
    const connected = await findConnectedUsers(deps.ledger, connection.id, ids);
    for (const { id, address, displayName } of members) {
      if (address === undefined) counts.ineligible++;
      else if (isTaken(mailboxes.get(address)?.value) || connected.has(id)) counts.connected++;
      else if (addresses.has(address)) continue;
      else if (rows.length === deps.selectionMax) hasMore = true;
      else {
        addresses.add(address);
        rows.push({ address, displayName });
      }
    }
    link = page.next;
  } while (link !== undefined && !hasMore && !search.isOver());
  if (link !== undefined && rows.length === 0) {
    const looked = counts.connected + counts.ineligible;
    throw search.stoppedAt(link, `The ${looked} members that were looked at are connected or cannot be imported.`);
  }
  const nestedGroups = nested.slice(0, NESTED_NAMED_MAX).map((one) => one.name);
  return {
    rows,
    selection: {
      from: 'group',
      groupId: group.id,
      groupName: group.name,
      selected: rows.length,
      hasMore: hasMore || link !== undefined,
      ...counts,
      ...(nestedGroups.length > 0 && { nestedGroups }),
      ...(nested.length > nestedGroups.length && { nestedGroupsOmitted: nested.length - nestedGroups.length }),
    },
  };
}

/** What each user can be imported as. Without an address if it cannot. */
async function findMembers(
  deps: SelectGroupDeps,
  connectionId: string,
  users: readonly GroupMember[],
): Promise<{ id: string; address?: string; displayName?: string }[]> {
  const known = await deps.directory.getMany(
    connectionId,
    users.map(({ id }) => id),
  );
  const entries = new Map(known.map((entry) => [entry.id, entry]));
  return users.map((user) => {
    const { id } = user;
    const entry = entries.get(id);
    if (entry && !entry.isEligible) return { id };
    if (user.address === undefined && !entry) {
      if (user.isGuest || user.isReadable) return { id };
      throw refusedBy(USERS_PERMISSION);
    }
    const parsed = parseAddress(user.address ?? entry?.address ?? '');
    const displayName = user.displayName ?? entry?.displayName;
    return user.isGuest || !parsed.ok ? { id } : { id, address: parsed.address, ...(displayName && { displayName }) };
  });
}

/** Asks with the connection's token, once more with a fresh one if a permission is missing, and turns refusals into errors. */
function createAsk(deps: SelectGroupDeps, connection: Connection) {
  let isFresh = false;
  return async function ask<T>(
    question: (access: DirectoryAccess) => Promise<Answer<T>>,
    isTooOld: (refusal: Refusal) => boolean = () => false,
  ): Promise<T> {
    const token = await deps.tokens.get(connection, 'graph');
    if (!token.granted) throw refused(token.refusal);
    const answer = await question({ cloud: connection.cloud, token: token.value });
    if (answer.kind === 'accepted') return answer.value;
    if (answer.kind === 'lost') {
      throw new DomainError('microsoft_unavailable', 'Microsoft did not answer. Try again later.');
    }
    if (isTooOld(answer.refusal)) throw badCursor('is too old. Repeat the request without it');
    if (needsFreshToken(answer.refusal) && !isFresh) {
      isFresh = true;
      deps.tokens.forget(connection.id);
      return ask(question, isTooOld);
    }
    throw refused(answer.refusal);
  };
}

function refused(refusal: Refusal): DomainError {
  if (isPermissionRefusal(refusal)) return refusedBy(MEMBERS_PERMISSION);
  const cause = classify(refusal);
  if (!isWaitCause(cause)) {
    const { detail, fix, link } = explainFinding({ cause });
    return new DomainError('directory_unavailable', `${detail} ${fix}`, { members: { cause, fix, link } });
  }
  const { retryAfterSeconds } = refusal;
  const code = cause === 'throttled' ? 'microsoft_throttled' : 'microsoft_unavailable';
  const detail =
    cause === 'throttled'
      ? 'Microsoft is throttling our requests. Try again later.'
      : 'Microsoft is unavailable. Try again later.';
  return new DomainError(code, detail, retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
}

function refusedBy(permission: string): DomainError {
  const cause = 'permission_missing';
  const { detail, fix, link } = explainFinding({ cause, permission });
  return new DomainError('directory_unavailable', `${detail} ${fix}`, { members: { cause, permission, fix, link } });
}

function noSuchGroup(): DomainError {
  const message = 'is neither the address nor the object ID of a group of this tenant';
  return new DomainError('validation_failed', `\`group\` ${message}.`, { fields: [{ path: 'group', message }] });
}
