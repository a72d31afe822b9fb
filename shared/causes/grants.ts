import { permissionOf } from './denial.ts';
import { isGraphProbe, type Probe } from './verdict.ts';

interface Grant {
  /** What the app may do in a mailbox with it: "the app may not … this mailbox". */
  act: string;
  /** The role of RBAC for Applications that grants the same. IMAP has none. */
  role?: string;
}

/** https://learn.microsoft.com/exchange/permissions-exo/application-rbac */
export const grantOf: Readonly<Record<Probe, Grant>> = {
  'graph.readWrite': { act: 'write to', role: 'Application Mail.ReadWrite' },
  'graph.send': { act: 'send from', role: 'Application Mail.Send' },
  imap: { act: 'sign in with IMAP to' },
  smtp: { act: 'sign in with SMTP to', role: 'Application SMTP.SendAsApp' },
};

export function permissionsOf(probes: readonly Probe[]): string {
  return joined(probes.map((probe) => permissionOf[probe]));
}

/** How an admin grants the permissions of these probes to the whole app. */
export function howToGrant(probes: readonly Probe[], isVendorApp: boolean): string {
  if (isVendorApp) {
    return `Have an admin of the tenant open a new consent link and choose Accept: the app then asks for ${permissionsOf(probes)}. If the permission is still missing afterwards, contact us.`;
  }
  const graph = probes.filter(isGraphProbe);
  const exchange = probes.filter((probe) => !isGraphProbe(probe));
  const steps = [
    'In the Entra admin center, open App registrations > your app > API permissions > Add a permission.',
    ...(graph.length > 0 ? [`Under Microsoft Graph > Application permissions, choose ${permissionsOf(graph)}.`] : []),
    ...(exchange.length > 0
      ? [
          `Under APIs my organization uses > Office 365 Exchange Online > Application permissions, choose ${permissionsOf(exchange)}.`,
        ]
      : []),
    'Then choose “Grant admin consent”.',
  ];
  return steps.join(' ');
}

/** What IMAP and SMTP need besides the permission; empty for probes of Graph. */
export function mailboxAccess(probes: readonly Probe[]): string {
  const protocols = probes.filter((probe) => !isGraphProbe(probe)).map((probe) => probe.toUpperCase());
  if (protocols.length === 0) return '';
  return `For ${joined(protocols)}, the app also needs access to each mailbox: in Exchange Online PowerShell, register it with New-ServicePrincipal, using the Object ID of the enterprise application, and run Add-MailboxPermission -Identity <address> -User <service principal> -AccessRights FullAccess.`;
}

/** The other way, which limits the app to some mailboxes; empty if no probe has a role for it. */
export function howToAssignRoles(probes: readonly Probe[]): string {
  const roles = probes.flatMap((probe) => grantOf[probe].role ?? []);
  if (roles.length === 0) return '';
  const names = joined(roles.map((role) => `“${role}”`));
  return `Or limit the app to some mailboxes: assign the ${roles.length === 1 ? 'role' : 'roles'} ${names} with New-ManagementRoleAssignment in Exchange Online PowerShell.`;
}

function joined(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
