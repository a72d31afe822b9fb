import { entraBesideExchangeBlock } from '../blocks/entra-block.ts';
import { connectExchangeBlock, removeServicePrincipalBlock, servicePrincipalBlock } from '../blocks/exchange-block.ts';
import { rbacGroupBlock } from '../blocks/group-block.ts';
import { smtpSwitchBlock } from '../blocks/mailbox-switches-block.ts';
import { forEachMailboxBlock, mailboxListBlock } from '../blocks/mailboxes-block.ts';
import { addMembersBlock } from '../blocks/members-block.ts';
import { grantRolesBlock, withdrawRolesBlock } from '../blocks/rbac-block.ts';
import { reportBlock } from '../blocks/report-block.ts';
import { undoChangesBlock } from '../blocks/undo-changes-block.ts';
import type { ScriptParts } from '../powershell-script.ts';
import { list, literal } from '../powershell-text.ts';
import { exchangeRolesOf, permissionsOf } from '../setup-access.ts';
import type { SetupInput } from '../setup-input.ts';
import {
  connectionSettings,
  EXCHANGE_MODULE,
  EXCHANGE_ROLE,
  GRAPH_MODULE,
  groupParameter,
  INTRODUCTION,
  objectIdParameter,
  pages,
  removeServicePrincipalParameter,
  testMailboxParameter,
} from './common-parts.ts';
import { MORE_MAILBOXES, mailboxParameters, nextLineSetting } from './mailbox-parameters.ts';

/**
 * Grants the app roles for the members of a group with RBAC for Applications, or withdraws them. For SMTP, it also turns
 * on authenticated SMTP for mailboxes.
 */
export function rbacScript(input: SetupInput & { access: 'graph-scoped' | 'smtp' }): ScriptParts {
  const { access, connection, undo } = input;
  const isSmtp = access === 'smtp';
  const roles = exchangeRolesOf(access, connection, undo);
  const { resourceAppId } = permissionsOf(access, 'rbac');
  const unwanted = permissionsOf(access, isSmtp ? 'mailboxPermission' : 'accessPolicy').values;
  const names = roles.join(' and ');
  return {
    synopsis: undo
      ? `Takes back ${names} of RBAC for Applications, with their management scope.`
      : `Grants the app ${names} for the direct members of one group, with RBAC for Applications.`,
    description: undo
      ? [
          'Only what the setup script made is removed: roles and scope are found by their names, what was changed in mailboxes and in the group by the file of the setup script.',
        ]
      : [
          'Mailboxes that you name become members of the group. Members of nested groups are out of scope; the script names those groups.',
          `Entra must not grant ${unwanted.join(' or ')} as well: such a grant reaches every mailbox. The script tells you if it does.`,
        ],
    role: EXCHANGE_ROLE,
    modules: [...(undo ? [] : [GRAPH_MODULE]), EXCHANGE_MODULE],
    links: isSmtp ? [pages.smtpRbac, pages.rbac, pages.smtpSwitch] : [pages.rbac],
    parameters: [
      ...(undo
        ? []
        : [groupParameter(input.group), testMailboxParameter(connection.defaultMailbox), objectIdParameter]),
      ...mailboxParameters(input),
      ...(undo ? [removeServicePrincipalParameter] : []),
    ],
    settings: [
      ...connectionSettings(input),
      ['ResourceAppId', literal(resourceAppId)],
      ['Permissions', literal(unwanted.join(' '))],
      ['ScopeName', literal(`Muster ${connection.id} ${isSmtp ? 'smtp' : 'mail'}`)],
      ['Roles', list(roles)],
      nextLineSetting(input),
    ],
    blocks: [
      reportBlock,
      connectExchangeBlock,
      ...(undo
        ? [withdrawRolesBlock, removeServicePrincipalBlock, mailboxListBlock, undoChangesBlock]
        : [
            entraBesideExchangeBlock,
            servicePrincipalBlock,
            rbacGroupBlock,
            grantRolesBlock,
            mailboxListBlock,
            forEachMailboxBlock,
            addMembersBlock,
            ...(isSmtp ? [smtpSwitchBlock] : []),
          ]),
    ],
    steps: `${INTRODUCTION.trim()}\n${undo ? UNDO : grantSteps(isSmtp)}`,
  };
}

const SMTP_SWITCH = `
$Addresses = @(Get-TargetMailbox)
Write-Step "Authenticated SMTP for $($Addresses.Count) mailboxes"
$DisabledForAll = [bool] (Get-TransportConfig).SmtpClientAuthenticationDisabled
Write-Host "  Turned off for the organization: $DisabledForAll"
Invoke-ForEachMailbox $Addresses { param($Address) Confirm-SmtpEnabled $Address $DisabledForAll }
`;

const grantSteps = (isSmtp: boolean) => `
$Entra = Invoke-Entra 'look' $Permissions
Connect-Exchange
Confirm-ServicePrincipal $Entra
$Group = Find-ScopeGroup
$Members = @(Get-ScopeMember $Group)
Confirm-Scope $Group
Confirm-RoleAssignment $Entra.ObjectId
Add-NamedMailbox $Group $Members
Confirm-NoEntraGrant $Entra.Granted $Permissions
${isSmtp ? SMTP_SWITCH : ''}Test-Roles $Entra.ObjectId $Members
Write-Summary
${MORE_MAILBOXES}Write-Host 'Next: set a default mailbox that is a member of the group, and run the connection test in Muster.'`;

const UNDO = `
Connect-Exchange
Undo-Mailboxes
Clear-Roles
Clear-Scope
Clear-ServicePrincipal

Write-Step 'Check: what RBAC for Applications still grants the app'
foreach ($One in @(Get-ServicePrincipal | Where-Object { "$($_.AppId)" -eq $ClientId })) {
    $Answer = @(Test-ServicePrincipalAuthorization -Identity "$($One.ObjectId)")
    Write-Host ($Answer | Format-Table -Property @('RoleName', 'AllowedResourceScope', 'ScopeType') -AutoSize | Out-String)
}
Write-Summary`;
