import { grantPolicyBlock, withdrawPolicyBlock } from '../blocks/access-policy-block.ts';
import { connectExchangeBlock } from '../blocks/exchange-block.ts';
import { policyGroupBlock } from '../blocks/group-block.ts';
import { forEachMailboxBlock, mailboxListBlock } from '../blocks/mailboxes-block.ts';
import { addMembersBlock } from '../blocks/members-block.ts';
import { reportBlock } from '../blocks/report-block.ts';
import { undoChangesBlock } from '../blocks/undo-changes-block.ts';
import type { ScriptParts } from '../powershell-script.ts';
import { literal } from '../powershell-text.ts';
import type { SetupInput } from '../setup-input.ts';
import {
  connectionSettings,
  EXCHANGE_MODULE,
  groupParameter,
  INTRODUCTION,
  pages,
  testMailboxParameter,
} from './common-parts.ts';
import { MORE_MAILBOXES, mailboxParameters, nextLineSetting } from './mailbox-parameters.ts';

/** Restricts the grants that the app has in Entra to the members of a group, or lifts that. */
export function accessPolicyScript(input: SetupInput): ScriptParts {
  const { undo, connection } = input;
  return {
    synopsis: undo
      ? 'Removes the application access policy of the app.'
      : 'Restricts the app to the members of one group, with an application access policy.',
    description: undo
      ? ['Afterwards a grant in Entra reaches every mailbox again.']
      : [
          'The policy grants nothing: the app needs Mail.ReadWrite and Mail.Send in Entra too.',
          'Microsoft replaces these policies by RBAC for Applications. Use that in a tenant that has none yet.',
        ],
    role: 'Exchange Administrator with the role group Organization Management.',
    modules: [EXCHANGE_MODULE],
    links: [pages.policy, pages.rbac],
    parameters: [
      ...(undo ? [] : [groupParameter(input.group), testMailboxParameter(connection.defaultMailbox)]),
      ...mailboxParameters(input),
    ],
    settings: [
      ...connectionSettings(input),
      ['PolicyDescription', literal(`Muster ${connection.id}`)],
      nextLineSetting(input),
    ],
    blocks: [
      reportBlock,
      connectExchangeBlock,
      mailboxListBlock,
      ...(undo
        ? [withdrawPolicyBlock, undoChangesBlock]
        : [policyGroupBlock, grantPolicyBlock, forEachMailboxBlock, addMembersBlock]),
    ],
    steps: `${INTRODUCTION.trim()}\n${undo ? UNDO : GRANT}`,
  };
}

const GRANT = `
Connect-Exchange
$Group = Find-ScopeGroup
$Members = @(Get-ScopeMember $Group)
Confirm-Policy $Group
Add-NamedMailbox $Group $Members
Test-Policy $Members
Write-Summary
${MORE_MAILBOXES}Write-Host 'Next: set a default mailbox that is a member of the group, and run the connection test in Muster.'`;

const UNDO = `
Connect-Exchange
Undo-Mailboxes
Clear-Policy

Write-Step 'Check: which policies the app still has'
foreach ($One in @(Get-ApplicationAccessPolicy | Where-Object { "$($_.AppId)" -eq $ClientId })) {
    Write-Host "  $($One.AccessRight) for $($One.ScopeName)"
}
Write-Summary`;
