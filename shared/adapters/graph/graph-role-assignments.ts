import { z } from 'zod';
import type { RoleAssignments } from '../../checks/scope-check/role-assignments.ts';
import type { Cloud } from '../../connections/connection.ts';
import type { RoleAssignment, ScopePermission } from '../../connections/grants/scope-check.ts';
import type { SendBatch } from './batch.ts';

const READERS: readonly string[] = [
  'RoleManagement.Read.Exchange',
  'RoleManagement.Read.All',
  'RoleManagement.ReadWrite.Exchange',
];
/** Fits a batch of role definitions. No app needs as many. */
const ASSIGNMENTS_MAX = 20;

const assignments = z.object({
  value: z.array(
    z.object({
      roleDefinitionId: z.string(),
      directoryScopeId: z.string().nullish(),
      appScopeId: z.string().nullish(),
    }),
  ),
});
const definition = z.object({ displayName: z.string() });

/**
 * `GET /roleManagement/exchange/roleAssignments`: needs RoleManagement.Read.Exchange. Graph has it in its beta version
 * only, so nothing depends on the answer but an explanation.
 * https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments?view=graph-rest-beta
 */
export function graphRoleAssignments(deps: {
  /** Of the beta version. */
  sendBatch: SendBatch;
  clouds: (cloud: Cloud) => { graphUrl: string };
}): RoleAssignments {
  return {
    async read({ cloud }, { token, claims }) {
      const { objectId, roles } = claims;
      if (objectId === undefined || !roles.some((role) => READERS.includes(role))) return undefined;
      const { graphUrl } = deps.clouds(cloud);
      const root = '/roleManagement/exchange';
      const filter = encodeURIComponent(`principalId eq '/ServicePrincipals/${objectId}'`);
      const url = `${root}/roleAssignments?$filter=${filter}`;
      const listed = (await deps.sendBatch(graphUrl, token, [{ id: '1', method: 'GET', url }])).get('1');
      const read = listed?.kind === 'accepted' ? assignments.safeParse(listed.body) : undefined;
      if (!read?.success) return undefined;
      const found = read.data.value.slice(0, ASSIGNMENTS_MAX);
      const ids = [...new Set(found.map(({ roleDefinitionId }) => roleDefinitionId))];
      if (ids.length === 0) return [];
      const definitions = await deps.sendBatch(
        graphUrl,
        token,
        ids.map((id) => ({
          id,
          method: 'GET',
          url: `${root}/roleDefinitions/${encodeURIComponent(id)}?$select=id,displayName`,
        })),
      );
      return found.flatMap((one): RoleAssignment[] => {
        const answer = definitions.get(one.roleDefinitionId);
        const named = answer?.kind === 'accepted' ? definition.safeParse(answer.body) : undefined;
        if (!named?.success) return [];
        const role = named.data.displayName.slice(0, 100);
        const isForTenant = (one.directoryScopeId ?? '/') === '/' && !one.appScopeId;
        return [{ role, permissions: permissionsOf(role), isScoped: !isForTenant }];
      });
    },
  };
}

/** https://learn.microsoft.com/exchange/permissions-exo/application-rbac#supported-application-roles */
function permissionsOf(role: string): ScopePermission[] {
  const name = role.replace(/^Application /, '');
  switch (name) {
    case 'Mail Full Access':
    case 'Exchange Full Access':
      return ['Mail.Read', 'Mail.ReadWrite', 'Mail.Send'];
    case 'Mail.ReadWrite':
      return ['Mail.Read', 'Mail.ReadWrite'];
    case 'Mail.Read':
    case 'Mail.ReadBasic':
      return ['Mail.Read'];
    case 'Mail.Send':
      return ['Mail.Send'];
    case 'SMTP.SendAsApp':
      return ['SMTP.SendAsApp'];
    default:
      return [];
  }
}
