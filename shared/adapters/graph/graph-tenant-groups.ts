import { z } from 'zod';
import type { Answer } from '../../checks/answer.ts';
import type { Cloud } from '../../connections/connection.ts';
import type { GroupMember, TenantGroup, TenantGroups } from '../../directory/tenant-groups.ts';
import type { DirectoryAccess } from '../../directory/tenant-users.ts';
import type { PartAnswer } from './batch.ts';
import type { GetJson } from './get-json.ts';

const text = z.string().nullish().catch(undefined);
const group = z.object({ id: z.string().min(1), displayName: text, mail: text });
const groupList = z.object({ value: z.array(group) });

const member = z.object({
  '@odata.type': z.string(),
  id: z.string().min(1),
  displayName: text,
  mail: text,
  userPrincipalName: text,
});
const memberPage = z.object({ value: z.array(member), '@odata.nextLink': z.string().optional() });

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PAGE_SIZE = 999;

/** The groups of a tenant by `GET /groups` and `GET /groups/{id}/members`. */
export function graphTenantGroups(deps: {
  getJson: GetJson;
  clouds: (cloud: Cloud) => { graphUrl: string };
}): TenantGroups {
  const get = ({ cloud, token }: DirectoryAccess, url: string) =>
    deps.getJson(deps.clouds(cloud).graphUrl, token.token, url);

  return {
    async find(access, name) {
      if (GUID.test(name)) {
        const answer = await get(access, `/groups/${name}?$select=id,displayName,mail`);
        if (answer.kind === 'refused' && answer.refusal.status === 404) return { kind: 'accepted', value: null };
        return toAnswer(answer, (body) => toGroup(group.safeParse(body).data));
      }
      const filter = encodeURIComponent(`mail eq '${name.replaceAll("'", "''")}'`);
      return toAnswer(await get(access, `/groups?$filter=${filter}&$select=id,displayName,mail&$top=1`), (body) => {
        const found = groupList.safeParse(body).data?.value;
        return found && (toGroup(found[0]) ?? null);
      });
    },
    async members(access, groupId, link) {
      const select = 'id,displayName,mail,userPrincipalName';
      const first = `/groups/${encodeURIComponent(groupId)}/members?$select=${select}&$top=${PAGE_SIZE}`;
      return toAnswer(await get(access, link ?? first), (body) => {
        const read = memberPage.safeParse(body).data;
        if (!read) return undefined;
        const ofType = (type: string) => read.value.filter((one) => one['@odata.type'] === `#microsoft.graph.${type}`);
        const users = ofType('user');
        const groups = ofType('group');
        const next = read['@odata.nextLink'];
        return {
          users: users.map(toMember),
          groups: groups.flatMap((one) => toGroup(one) ?? []),
          others: read.value.length - users.length - groups.length,
          ...(next !== undefined && { next }),
        };
      });
    },
  };
}

function toGroup(found: z.infer<typeof group> | undefined): TenantGroup | undefined {
  return found && { id: found.id, name: found.displayName || found.mail || found.id };
}

function toMember(user: z.infer<typeof member>): GroupMember {
  return {
    id: user.id,
    ...(user.mail && { address: user.mail }),
    ...(user.displayName && { displayName: user.displayName }),
    // Of a member that the app may not read, Graph shows nothing but the ID. Every user has a sign-in name.
    isReadable: Boolean(user.userPrincipalName),
    // With User.ReadBasic.All, an app does not see `userType`.
    isGuest: user.userPrincipalName?.includes('#EXT#') === true,
  };
}

function toAnswer<T>(answer: PartAnswer, read: (body: unknown) => T | undefined): Answer<T> {
  if (answer.kind !== 'accepted') return answer;
  const value = read(answer.body);
  return value === undefined ? { kind: 'lost' } : { kind: 'accepted', value };
}
