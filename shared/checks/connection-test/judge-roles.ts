import { permissionOf } from '../../causes/denial.ts';
import { knownOf } from '../../causes/explain.ts';
import { grantOf } from '../../causes/grants.ts';
import type { Probe } from '../../causes/verdict.ts';
import { type Connection, hasOwnApp } from '../../connections/connection.ts';
import type { StepResult } from '../../connections/readiness/connection-test.ts';

/**
 * What the roles in the tokens say about the permissions that the checks need.
 *
 * Roles alone decide nothing: RBAC for Applications grants access without them, and a default mailbox that passes proves
 * it. Only if nothing that is needed shows in the tokens, and no mailbox proves access, an import would be refused
 * everywhere.
 *
 * @param mailboxPassed whether the default mailbox has passed every probe
 */
export function judgeRoles(connection: Connection, roles: readonly string[], mailboxPassed: boolean): StepResult {
  const needed = connection.probes.filter((probe) => probe !== 'graph.send' || connection.sendProbe !== 'none');
  const missing = needed.filter((probe) => !roles.includes(permissionOf[probe]));
  if (missing.length === 0) return { step: 'roles', verdict: 'passed' };
  const names = missing.map((probe) => permissionOf[probe]).join(', ');
  if (mailboxPassed) {
    const detail = `The token does not show ${names}. The default mailbox proves access without it.`;
    return { step: 'roles', verdict: 'passed', detail };
  }
  const about = { probes: missing, isVendorApp: !hasOwnApp(connection) };
  if (roles.length === 0) {
    const cause = 'consent_missing';
    return { step: 'roles', verdict: 'failed', cause, ...knownOf(cause, about) };
  }
  if (missing.length < needed.length) {
    return { step: 'roles', verdict: 'passed', detail: `The token does not show ${names}. ${whatFails(missing)}` };
  }
  const detail = `The app has permissions in this tenant, but none of those that the checks need: ${names}.`;
  const cause = 'permission_missing';
  return { step: 'roles', verdict: 'failed', cause, ...knownOf(cause, about), detail };
}

/** What an import would meet. RBAC for Applications does not show in a token, and cannot grant every permission. */
function whatFails(missing: readonly Probe[]): string {
  const names = missing.filter((probe) => !grantOf[probe].role).map((probe) => permissionOf[probe]);
  return [
    ...(names.length < missing.length
      ? ['Without a grant by RBAC for Applications, each mailbox fails the checks that need it.']
      : []),
    ...(names.length > 0
      ? [`RBAC for Applications cannot grant ${names.join(', ')}, so each mailbox fails the check for it.`]
      : []),
  ].join(' ');
}
