import type { TenantApp } from '../tenant.ts';
import { stableGuid } from '../token-issuer.ts';
import { type DirectoryOperation, directoryResponse, resourceNotFound, unsupportedQuery } from './directory-call.ts';
import { applySelect, readFilter } from './odata.ts';

const permissions = [
  'RoleManagement.Read.Exchange',
  'RoleManagement.Read.All',
  'RoleManagement.ReadWrite.Exchange',
] as const;

/** Roles are written as `Application Mail.Send` or `Mail.Send`. Exchange has the first form. */
const nameOf = (role: string) => `Application ${role.replace(/^Application\s+/i, '')}`;
const definitionId = (name: string) => stableGuid('Exchange role', name);

/**
 * The roles of RBAC for Applications, which Graph’s beta version shows. An assignment without members is for the tenant.
 * https://learn.microsoft.com/graph/api/rbacapplication-list-roleassignments?view=graph-rest-beta
 */
export const listRoleAssignments: DirectoryOperation = {
  permissions,
  isBetaOnly: true,
  run({ call, tenant }) {
    const read = readFilter(call.query);
    if ('invalid' in read) return unsupportedQuery(call, read.invalid);
    const all = tenant.scenario.apps.flatMap(({ clientId }) => assignmentsOf(tenant.app(clientId)));
    const { filter } = read;
    const value = filter ? all.filter((item) => filter.matches(item)) : all;
    return directoryResponse('roleManagement/exchange/roleAssignments', { value });
  },
};

function assignmentsOf(app: TenantApp | undefined) {
  return (app?.scenario.rbac ?? []).map(({ role, members, except }, index) => {
    const id = stableGuid(app?.objectId ?? '', 'role assignment', String(index));
    const isScoped = members !== undefined || except !== undefined;
    return {
      id,
      principalId: `/ServicePrincipals/${app?.objectId}`,
      roleDefinitionId: definitionId(nameOf(role)),
      directoryScopeId: isScoped ? null : '/',
      appScopeId: isScoped ? `/CustomAppScopes/${stableGuid(id, 'scope')}` : null,
    };
  });
}

export const getRoleDefinition: DirectoryOperation = {
  permissions,
  isBetaOnly: true,
  run(context) {
    const { call, tenant, params } = context;
    const names = tenant.scenario.apps.flatMap(({ rbac }) => rbac.map(({ role }) => nameOf(role)));
    const displayName = names.find((name) => definitionId(name) === params.definition?.toLowerCase());
    if (displayName === undefined) return resourceNotFound(call, params.definition ?? '');
    const definition = {
      id: definitionId(displayName),
      displayName,
      isBuiltIn: true,
      isEnabled: true,
      version: '0.12 (14.0.451.0)',
    };
    return directoryResponse('roleManagement/exchange/roleDefinitions/$entity', applySelect(definition, call.query));
  },
};
