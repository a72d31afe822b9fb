import { classify, isWaitCause } from '../../causes/classify.ts';
import type { Answer } from '../../checks/answer.ts';
import type { Recipient, Recipients, UsersRead } from '../../checks/recipients.ts';
import type { Cloud } from '../../connections/connection.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { BatchPart, PartAnswer, SendBatch } from './batch.ts';

interface WireUser {
  id?: unknown;
  userPrincipalName?: unknown;
  userType?: unknown;
  mail?: unknown;
  proxyAddresses?: unknown;
}

function listPart(id: string, path: string, filter: string, select: string, top = 1): BatchPart {
  return {
    id,
    method: 'GET',
    url: `${path}?$filter=${encodeURIComponent(filter)}&$select=${select}&$count=true&$top=${top}`,
    headers: { ConsistencyLevel: 'eventual' },
  };
}

const NAMES = 'id,mail,userPrincipalName';
const NAMES_AND_ALIASES = `${NAMES},userType,proxyAddresses`;

const quoted = (address: string) => address.replaceAll("'", "''");

/**
 * Asks for the user with this address: as primary address or sign-in name with `basic`, which User.ReadBasic.All is enough
 * for, and as alias too with `full`, which needs User.Read.All. With `basic`, Graph refuses a filter by what it does not
 * show. Two users can be found: a sign-in name need not be an address, so it may equal the alias of someone else.
 */
export function ownerPart(id: string, address: string, read: UsersRead): BatchPart {
  const name = quoted(address);
  return read === 'full'
    ? listPart(
        id,
        '/users',
        `proxyAddresses/any(p:p eq 'smtp:${name}') or userPrincipalName eq '${name}'`,
        NAMES_AND_ALIASES,
        2,
      )
    : listPart(id, '/users', `mail eq '${name}' or userPrincipalName eq '${name}'`, NAMES, 2);
}

/** Asks for the user with this object ID. */
function userPart(id: string, objectId: string, read: UsersRead): BatchPart {
  const select = read === 'full' ? NAMES_AND_ALIASES : NAMES;
  return { id, method: 'GET', url: `/users/${encodeURIComponent(objectId)}?$select=${select}` };
}

export function readOwner(body: unknown, address: string): Recipient | undefined {
  const value = (body as { value?: unknown } | null | undefined)?.value;
  if (!Array.isArray(value)) return undefined;
  const users = value as WireUser[];
  // Exchange resolves an address before a sign-in name.
  const found = users.find((user) => addressesOf(user).includes(address)) ?? users[0];
  return found ? userRecipient(found) : { kind: 'nothing' };
}

/**
 * Looks up an address among users (with their aliases), groups and contacts, in one batch. Users need User.Read.All.
 * Groups and contacts need permissions of their own. Without them, they are skipped.
 *
 * What the directory refuses to a token is not asked with that token again: permissions are in the token, so a new one is
 * only noticed with the next. Thousands of addresses without a mailbox cost a tenant that grants nothing one question.
 */
export function graphRecipients(deps: {
  sendBatch: SendBatch;
  clouds: (cloud: Cloud) => { graphUrl: string };
}): Recipients {
  const refusedTo = new WeakMap<Secret, Map<string, PartAnswer>>();
  return {
    async lookUp({ cloud, token, address }, read = 'full', objectId) {
      const refusals = refusedTo.get(token) ?? new Map<string, PartAnswer>();
      refusedTo.set(token, refusals);
      const parts = [
        ownerPart('user', address, read),
        listPart('group', '/groups', `mail eq '${quoted(address)}'`, 'id'),
        listPart('contact', '/contacts', `mail eq '${quoted(address)}'`, 'id'),
      ].filter(({ id }) => !refusals.has(id));
      if (objectId !== undefined && !refusals.has('user')) parts.push(userPart('former', objectId, read));
      const answers = new Map<string, PartAnswer>(refusals);
      if (parts.length > 0) {
        for (const [id, answer] of await deps.sendBatch(deps.clouds(cloud).graphUrl, token, parts)) {
          answers.set(id, answer);
          if (isNotGranted(answer)) refusals.set(id, answer);
        }
      }
      const asked = answers.get('user');
      const user = asked?.kind === 'accepted' ? readOwner(asked.body, address) : undefined;
      if (user && user.kind !== 'nothing') return accepted(user);
      if (firstOf(answers.get('group'))) return accepted({ kind: 'group' });
      if (firstOf(answers.get('contact'))) return accepted({ kind: 'contact' });
      // A part that we may not read is skipped. A part without an answer may contain the address.
      const unanswered = ['user', 'group', 'contact'].map((id) => answers.get(id)).find(isUnanswered);
      if (unanswered) return toAnswer(unanswered);
      const former = answers.get('former');
      if (former?.kind === 'accepted') return accepted(userRecipient((former.body ?? {}) as WireUser));
      if (former && former.kind !== 'refused') return toAnswer(former);
      if (former && isWaitCause(classify(former.refusal))) return toAnswer(former);
      // Only if we could read the users do we know that there is none.
      if (!user) return toAnswer(asked);
      const unread = (['group', 'contact'] as const).filter((id) => answers.get(id)?.kind === 'refused');
      return accepted({ kind: 'nothing', ...(unread.length > 0 && { unread }) });
    },
  };
}

function accepted(value: Recipient): Answer<Recipient> {
  return { kind: 'accepted', value };
}

/** @param part a part that was not accepted, or not in the form that Graph's reference promises */
function toAnswer(part: PartAnswer | undefined): Answer<Recipient> {
  return part?.kind === 'refused' ? part : { kind: 'lost' };
}

function isNotGranted(part: PartAnswer): boolean {
  return part.kind === 'refused' && part.refusal.status === 403 && part.refusal.code === 'Authorization_RequestDenied';
}

function isUnanswered(part: PartAnswer | undefined): boolean {
  if (part?.kind === 'accepted') return !Array.isArray((part.body as { value?: unknown } | null | undefined)?.value);
  if (part?.kind !== 'refused') return true;
  return isWaitCause(classify(part.refusal));
}

function firstOf(part: PartAnswer | undefined): object | undefined {
  if (part?.kind !== 'accepted') return undefined;
  const value = (part.body as { value?: unknown } | null | undefined)?.value;
  const first = Array.isArray(value) ? value[0] : undefined;
  return typeof first === 'object' && first !== null ? first : undefined;
}

/** Lower case. */
function addressesOf({ mail, proxyAddresses }: WireUser): string[] {
  const proxies = Array.isArray(proxyAddresses) ? proxyAddresses.map(String) : [];
  const known = [...proxies.map((proxy) => proxy.replace(/^smtp:/i, '')), ...(typeof mail === 'string' ? [mail] : [])];
  return known.map((one) => one.toLowerCase());
}

/** The entry with the prefix in capitals is the primary address. The others are aliases or other types of address. */
function userRecipient({ id, userType, mail, proxyAddresses, userPrincipalName }: WireUser): Recipient {
  const signInName = typeof userPrincipalName === 'string' ? userPrincipalName.toLowerCase() : undefined;
  // Entra puts #EXT# into the sign-in name of a guest. It shows the type of a user only to apps that may see all.
  const isGuest = typeof userType === 'string' ? userType.toLowerCase() === 'guest' : signInName?.includes('#ext#');
  if (isGuest) return { kind: 'guest' };
  const proxies = Array.isArray(proxyAddresses) ? proxyAddresses.map(String) : [];
  const primary =
    proxies.find((proxy) => proxy.startsWith('SMTP:'))?.slice(5) ?? (typeof mail === 'string' ? mail : undefined);
  return {
    kind: 'user',
    ...(typeof id === 'string' && id !== '' && { objectId: id.toLowerCase() }),
    ...(primary !== undefined && { primaryAddress: primary.toLowerCase() }),
    ...(signInName !== undefined && { signInName }),
  };
}
