import { z } from 'zod';
import type { CauseCode } from '../../causes/causes.ts';
import { classify, isConnectionCause, isWaitCause } from '../../causes/classify.ts';
import type { Answer } from '../../checks/answer.ts';
import type { Cloud } from '../../connections/connection.ts';
import type { MailboxJudgement } from '../../directory/directory-entry.ts';
import type { DirectoryAccess, TenantUser, TenantUsers } from '../../directory/tenant-users.ts';
import type { BatchPart, PartAnswer, SendBatch } from './batch.ts';
import type { GetJson } from './get-json.ts';
import { kindOf } from './graph-mail.ts';

const text = z.string().nullish().catch(undefined);

const plan = z.object({ service: text, capabilityStatus: text });

const wireUser = z.object({
  id: z.string().min(1),
  displayName: text,
  mail: text,
  userType: text,
  accountEnabled: z.boolean().nullish().catch(undefined),
  proxyAddresses: z.array(z.string()).nullish().catch(undefined),
  assignedPlans: z.array(plan).nullish().catch(undefined),
});

const page = z.object({
  value: z.array(wireUser),
  '@odata.nextLink': z.string().optional(),
});

const deltaPage = z.object({
  value: z.array(z.object({ id: z.string().min(1), '@removed': z.unknown().optional() })),
  '@odata.nextLink': z.string().optional(),
  '@odata.deltaLink': z.string().optional(),
});

/** A change of any of these is a change for us. Licences are watched because a change of plans alone may not be told. */
const SELECT = 'id,displayName,mail,proxyAddresses,userType,accountEnabled,assignedPlans,assignedLicenses';
const PAGE_SIZE = 999;
/** Values that Graph takes in a filter with `in`. */
const VALUES_MAX = 15;

/** Causes that say that there is no mailbox that an app can use. */
const NO_MAILBOX: ReadonlySet<CauseCode> = new Set([
  'mailbox_not_found',
  'mailbox_unlicensed_or_on_premises',
  'mailbox_disabled',
]);

/** The users of a tenant by `GET /users` and delta queries. */
export function graphTenantUsers(deps: {
  getJson: GetJson;
  sendBatch: SendBatch;
  clouds: (cloud: Cloud) => { graphUrl: string };
}): TenantUsers {
  const get = ({ cloud, token }: DirectoryAccess, url: string) =>
    deps.getJson(deps.clouds(cloud).graphUrl, token.token, url);
  const send = ({ cloud, token }: DirectoryAccess, parts: readonly BatchPart[]) =>
    deps.sendBatch(deps.clouds(cloud).graphUrl, token.token, parts);

  return {
    // https://learn.microsoft.com/graph/delta-query-overview: `latest` gives a link without reading anything.
    async linkToChanges(access) {
      const answer = await get(access, `/users/delta?$select=${SELECT}&$deltatoken=latest`);
      return toAnswer(answer, (body) => deltaPage.safeParse(body).data?.['@odata.deltaLink']);
    },
    async list(access, link) {
      return toAnswer(await get(access, link ?? `/users?$select=${SELECT}&$top=${PAGE_SIZE}`), (body) => {
        const read = page.safeParse(body).data;
        if (!read) return undefined;
        const next = read['@odata.nextLink'];
        return { users: read.value.map(toUser), ...(next !== undefined && { next }) };
      });
    },
    async changes(access, link) {
      return toAnswer(await get(access, link), (body) => {
        const read = deltaPage.safeParse(body).data;
        const later = read?.['@odata.deltaLink'];
        const next = later ?? read?.['@odata.nextLink'];
        if (!read || next === undefined) return undefined;
        const isRemoved = (item: (typeof read.value)[number]) => item['@removed'] !== undefined;
        return {
          changed: read.value.filter((item) => !isRemoved(item)).map(({ id }) => id),
          removed: read.value.filter(isRemoved).map(({ id }) => id),
          link: next,
          isLast: later !== undefined,
        };
      });
    },
    async get(access, ids) {
      const parts: BatchPart[] = [];
      for (let from = 0; from < ids.length; from += VALUES_MAX) {
        const values = ids.slice(from, from + VALUES_MAX).map((id) => `'${id.replaceAll("'", "''")}'`);
        const filter = encodeURIComponent(`id in (${values.join(',')})`);
        parts.push({ id: String(from), method: 'GET', url: `/users?$filter=${filter}&$select=${SELECT}` });
      }
      if (parts.length === 0) return { kind: 'accepted', value: [] };
      const answers = await send(access, parts);
      const users: TenantUser[] = [];
      for (const { id } of parts) {
        const answer = toAnswer(answers.get(id), (body) => page.safeParse(body).data?.value.map(toUser));
        if (answer.kind !== 'accepted') return answer;
        users.push(...answer.value);
      }
      return { kind: 'accepted', value: users };
    },
    async judge(access, ids) {
      // The roles only decide what is asked. An app without this one may still open the inbox.
      const asksPurpose = access.token.claims.roles.some((role) => role.startsWith('MailboxSettings.Read'));
      const question = asksPurpose ? 'mailboxSettings/userPurpose' : 'mailFolders/inbox?$select=id';
      const parts = ids.map((id): BatchPart => {
        return { id, method: 'GET', url: `/users/${encodeURIComponent(id)}/${question}` };
      });
      const answers = await send(access, parts);
      return ids.map((id) => toJudgement(answers.get(id), asksPurpose));
    },
  };
}

function toUser(user: z.infer<typeof wireUser>): TenantUser {
  // The entry with the prefix in capitals is the primary address.
  const primary = user.proxyAddresses?.find((proxy) => proxy.startsWith('SMTP:'))?.slice('SMTP:'.length) || user.mail;
  const isExchange = ({ service, capabilityStatus }: z.infer<typeof plan>) =>
    service?.toLowerCase() === 'exchange' && capabilityStatus === 'Enabled';
  return {
    id: user.id,
    ...(primary && { primaryAddress: primary }),
    ...(user.displayName && { displayName: user.displayName }),
    isGuest: user.userType?.toLowerCase() === 'guest',
    isEnabled: user.accountEnabled === true,
    isLicensed: user.assignedPlans?.some(isExchange) === true,
  };
}

function toAnswer<T>(part: PartAnswer | undefined, read: (body: unknown) => T | undefined): Answer<T> {
  if (!part) return { kind: 'lost' };
  if (part.kind !== 'accepted') return part;
  const value = read(part.body);
  return value === undefined ? { kind: 'lost' } : { kind: 'accepted', value };
}

function toJudgement(part: PartAnswer | undefined, asksPurpose: boolean): Answer<MailboxJudgement> {
  if (part?.kind === 'accepted') {
    return { kind: 'accepted', value: { kind: asksPurpose ? (kindOf(part.body) ?? 'unknown') : 'unknown' } };
  }
  if (part?.kind !== 'refused') return { kind: 'lost' };
  const cause = classify(part.refusal);
  if (NO_MAILBOX.has(cause)) return { kind: 'accepted', value: { reason: cause } };
  // A mailbox that is moved or full exists, and says nothing more for now.
  const isForLater = isWaitCause(cause) && cause !== 'mailbox_moving';
  return isForLater || isConnectionCause(cause) ? part : { kind: 'accepted', value: 'undecided' };
}
