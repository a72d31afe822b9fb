import type { Entry } from '../directory.ts';
import type { Tenant } from '../tenant.ts';
import type { Caller } from './caller.ts';
import { errorResponse } from './error-response.ts';
import type { AttemptedCall } from './mailbox-faults.ts';
import { exchangeError, type GraphResponse } from './responses.ts';

/** Step "permission": what Entra grants and what RBAC for Applications grants count together. */
export function refusedByPermission(
  caller: Caller,
  permissions: readonly string[],
  { world, entry, call }: AttemptedCall,
): GraphResponse | undefined {
  const { claims, app } = caller;
  // Graph can insist on roles in the token. RBAC cannot help then, because the call never reaches Exchange.
  if (!claims.roles && app.scenario.refusesRolelessToken) {
    return errorResponse(world, call, 'NoPermissionsInAccessToken');
  }
  const { byEntra, byRbac } = grantsAt(caller, permissions, entry);
  if ((byEntra || byRbac) && !app.propagation.isDenied(Date.now())) return undefined;
  return exchangeError(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
}

/** Step "policy": access policies block only what Entra grants. The EWS and REST lists block everyone. */
export function refusedByPolicy(
  caller: Caller,
  permissions: readonly string[],
  entry: Entry,
): GraphResponse | undefined {
  if (entry.fault === 'restBlocked') return exchangeError(403, 'ErrorAccessDenied', 'Access to OData is disabled.');
  if (!caller.app.isBlockedByPolicy(entry) || grantsAt(caller, permissions, entry).byRbac) return undefined;
  return exchangeError(
    403,
    'ErrorAccessDenied',
    'Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.',
  );
}

export function refusedByOrganization({ scenario }: Tenant): GraphResponse | undefined {
  if (!scenario.organizationBlocked) return undefined;
  return exchangeError(403, 'ErrorOrganizationAccessBlocked', 'Access to the organization is blocked.');
}

/** Roles that the token carries and the tenant still grants. */
export function rolesOf({ claims, app }: Caller): string[] {
  return (claims.roles ?? []).filter((role) => app.grants.includes(role));
}

/** Whether the app has one of the permissions at the mailbox: from a role in the token, or from RBAC. */
function grantsAt(caller: Caller, permissions: readonly string[], entry: Entry) {
  const roles = rolesOf(caller);
  const usable = permissions.filter((permission) => !isDeniedByFault(permission, entry));
  return {
    byEntra: usable.some((permission) => roles.includes(permission)),
    byRbac: usable.some((permission) => caller.app.hasRbac(permission, entry)),
  };
}

function isDeniedByFault(permission: string, { fault }: Entry): boolean {
  return (
    (fault === 'sendDenied' && permission === 'Mail.Send') ||
    (fault === 'readWriteDenied' && permission === 'Mail.ReadWrite')
  );
}
