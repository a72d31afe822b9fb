import { classify, isWaitCause } from '../../causes/classify.ts';
import type { Answer } from '../../checks/answer.ts';
import type { Recipient, Recipients } from '../../checks/recipients.ts';
import type { Cloud } from '../../connections/connection.ts';
import type { BatchPart, PartAnswer, SendBatch } from './batch.ts';

interface WireUser {
  userType?: unknown;
  mail?: unknown;
  proxyAddresses?: unknown;
}

function listPart(id: string, path: string, filter: string, select: string): BatchPart {
  return {
    id,
    method: 'GET',
    url: `${path}?$filter=${encodeURIComponent(filter)}&$select=${select}&$count=true&$top=1`,
    headers: { ConsistencyLevel: 'eventual' },
  };
}

const quoted = (address: string) => address.replaceAll("'", "''");

/** Asks for the user with this address, as primary address or as alias. Needs User.Read.All. */
export function ownerPart(id: string, address: string): BatchPart {
  return listPart(
    id,
    '/users',
    `proxyAddresses/any(p:p eq 'smtp:${quoted(address)}')`,
    'id,mail,userType,proxyAddresses',
  );
}

export function readOwner(body: unknown): Recipient | undefined {
  const value = (body as { value?: unknown } | null | undefined)?.value;
  if (!Array.isArray(value)) return undefined;
  return value[0] ? userRecipient(value[0] as WireUser) : { kind: 'nothing' };
}

/**
 * Looks up an address among users (with their aliases), groups and contacts, in one batch. Users need User.Read.All.
 * Groups and contacts need permissions of their own. Without them, they are skipped.
 */
export function graphRecipients(deps: {
  sendBatch: SendBatch;
  clouds: (cloud: Cloud) => { graphUrl: string };
}): Recipients {
  return {
    async lookUp({ cloud, token, address }) {
      const answers = await deps.sendBatch(deps.clouds(cloud).graphUrl, token, [
        ownerPart('user', address),
        listPart('group', '/groups', `mail eq '${quoted(address)}'`, 'id'),
        listPart('contact', '/contacts', `mail eq '${quoted(address)}'`, 'id'),
      ]);
      const asked = answers.get('user');
      const user = asked?.kind === 'accepted' ? readOwner(asked.body) : undefined;
      if (user && user.kind !== 'nothing') return accepted(user);
      if (firstOf(answers.get('group'))) return accepted({ kind: 'group' });
      if (firstOf(answers.get('contact'))) return accepted({ kind: 'contact' });
      // A part that we may not read is skipped. A part without an answer may contain the address.
      const unanswered = ['user', 'group', 'contact'].map((id) => answers.get(id)).find(isUnanswered);
      if (unanswered) return toAnswer(unanswered);
      // Only if we could read the users do we know that there is none.
      return user ? accepted(user) : toAnswer(asked);
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

/** The entry with the prefix in capitals is the primary address. The others are aliases or other types of address. */
function userRecipient({ userType, mail, proxyAddresses }: WireUser): Recipient {
  if (typeof userType === 'string' && userType.toLowerCase() === 'guest') return { kind: 'guest' };
  const proxies = Array.isArray(proxyAddresses) ? proxyAddresses.map(String) : [];
  const primary =
    proxies.find((proxy) => proxy.startsWith('SMTP:'))?.slice(5) ?? (typeof mail === 'string' ? mail : undefined);
  return { kind: 'user', ...(primary !== undefined && { primaryAddress: primary.toLowerCase() }) };
}
