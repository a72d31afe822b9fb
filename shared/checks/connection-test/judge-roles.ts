import { permissionOf } from '../../causes/denial.ts';
import type { Probe } from '../../causes/verdict.ts';
import type { Connection } from '../../connections/connection.ts';
import type { StepResult } from '../../connections/connection-test.ts';

/**
 * What the roles in the tokens say about the permissions that the checks need.
 *
 * Roles alone decide nothing: RBAC for Applications grants access without them, and a default mailbox that passes proves
 * it. Only if nothing that is needed shows in the tokens, and no mailbox proves access, an import would be refused
 * everywhere.
 *
 * @param mailboxPassed whether the default mailbox has passed every probe
 */
export function judgeRoles(
  connection: Pick<Connection, 'probes' | 'sendProbe'>,
  roles: readonly string[],
  mailboxPassed: boolean,
): StepResult {
  const needed = connection.probes
    .filter((probe: Probe) => probe !== 'graph.send' || connection.sendProbe !== 'none')
    .map((probe) => permissionOf[probe]);
  const missing = needed.filter((permission) => !roles.includes(permission));
  if (missing.length === 0) return { step: 'roles', verdict: 'passed' };
  const names = missing.join(', ');
  if (mailboxPassed) {
    const detail = `The token does not show ${names}. The default mailbox proves access without it.`;
    return { step: 'roles', verdict: 'passed', detail };
  }
  if (roles.length === 0) return { step: 'roles', verdict: 'failed', cause: 'consent_missing' };
  if (missing.length < needed.length) {
    const detail = `The token does not show ${names}. Without a grant by RBAC for Applications, each mailbox fails the checks that need it.`;
    return { step: 'roles', verdict: 'passed', detail };
  }
  const detail = `The app has permissions in this tenant, but none of those that the checks need: ${names}. If you grant access only by RBAC for Applications, set a default mailbox that is in scope: the test then checks access to it.`;
  return { step: 'roles', verdict: 'failed', cause: 'permission_missing', detail };
}
