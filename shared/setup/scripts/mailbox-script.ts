import { entraBesideExchangeBlock } from '../blocks/entra-block.ts';
import { connectExchangeBlock, removeServicePrincipalBlock, servicePrincipalBlock } from '../blocks/exchange-block.ts';
import { fullAccessBlock, sendAsBlock } from '../blocks/mailbox-access-block.ts';
import { imapSwitchBlock, smtpSwitchBlock } from '../blocks/mailbox-switches-block.ts';
import { forEachMailboxBlock, mailboxListBlock } from '../blocks/mailboxes-block.ts';
import { reportBlock } from '../blocks/report-block.ts';
import { undoChangesBlock } from '../blocks/undo-changes-block.ts';
import type { ScriptParts } from '../powershell-script.ts';
import { literal } from '../powershell-text.ts';
import { permissionsOf } from '../setup-access.ts';
import type { SetupInput } from '../setup-input.ts';
import {
  BOTH_ROLES,
  connectionSettings,
  EXCHANGE_MODULE,
  GRAPH_MODULE,
  INTRODUCTION,
  objectIdParameter,
  pages,
  removeServicePrincipalParameter,
} from './common-parts.ts';
import { MORE_MAILBOXES, mailboxParameters, nextLineSetting } from './mailbox-parameters.ts';

/** Lets the app sign in to mailboxes with IMAP or SMTP, by FullAccess to each of them. Or takes that back. */
export function mailboxScript(input: SetupInput & { access: 'imap' | 'smtp' }): ScriptParts {
  const { access, undo } = input;
  const { resourceAppId, values } = permissionsOf(access, 'mailboxPermission');
  const permission = values.join(' ');
  const isSmtp = access === 'smtp';
  const protocol = isSmtp ? 'SMTP' : 'IMAP';
  return {
    synopsis: undo
      ? `Takes back the app's access to mailboxes with ${protocol}, and ${permission}.`
      : `Lets the app sign in to mailboxes with ${protocol}.`,
    description: undo
      ? [
          'In mailboxes it changes back what the file of the setup script names. Without that file it withdraws the permissions to the mailboxes that you name, and leaves every switch as it is.',
        ]
      : [
          `It gives admin consent for ${permission}, registers the app in Exchange Online, gives it FullAccess to each mailbox, and turns on ${isSmtp ? 'authenticated SMTP' : 'IMAP'} where it is off.`,
          'What it changes in mailboxes is written into a file. Keep it for the undo script.',
        ],
    role: BOTH_ROLES,
    modules: [GRAPH_MODULE, EXCHANGE_MODULE],
    links: [pages.protocols, isSmtp ? pages.smtpSwitch : pages.imapSwitch],
    parameters: [
      ...mailboxParameters(input),
      ...(undo ? [removeServicePrincipalParameter] : [objectIdParameter]),
      ...(isSmtp && !undo ? [SEND_AS] : []),
    ],
    settings: [
      ...connectionSettings(input),
      ['ResourceAppId', literal(resourceAppId)],
      ['Permissions', literal(permission)],
      nextLineSetting(input),
    ],
    blocks: [
      reportBlock,
      entraBesideExchangeBlock,
      connectExchangeBlock,
      ...(undo ? [removeServicePrincipalBlock] : [servicePrincipalBlock]),
      mailboxListBlock,
      ...(undo
        ? [undoChangesBlock]
        : [forEachMailboxBlock, fullAccessBlock, ...(isSmtp ? [sendAsBlock, smtpSwitchBlock] : [imapSwitchBlock])]),
    ],
    steps: `${INTRODUCTION.trim()}\n${undo ? UNDO : grantSteps(isSmtp)}`,
  };
}

const SEND_AS = {
  name: 'SendAs',
  type: 'switch',
  help: 'Also grants Send As. The app needs it only to send from other addresses than that of the mailbox.',
} as const;

const SMTP_STEPS = `
$DisabledForAll = [bool] (Get-TransportConfig).SmtpClientAuthenticationDisabled
Write-Step "$($Addresses.Count) mailboxes (authenticated SMTP is turned off for the organization: $DisabledForAll)"
Invoke-ForEachMailbox $Addresses {
    param($Address)
    Confirm-FullAccess $Address
    if ($SendAs) { Confirm-SendAs $Address }
    Confirm-SmtpEnabled $Address $DisabledForAll
}`;

const IMAP_STEPS = `
Write-Step "$($Addresses.Count) mailboxes"
Invoke-ForEachMailbox $Addresses {
    param($Address)
    Confirm-FullAccess $Address
    Confirm-ImapEnabled $Address
}`;

const grantSteps = (isSmtp: boolean) => `
$Addresses = @(Get-TargetMailbox)
if ($Addresses.Count -eq 0) { Write-Warning 'No mailboxes are named, so only the app is set up. Name them with -Mailbox or -MailboxFile.' }
$Entra = Invoke-Entra 'grant' $Permissions
Connect-Exchange
Confirm-ServicePrincipal $Entra
$ObjectId = $Entra.ObjectId
# With -WhatIf, the app may not be registered yet.
$IsRegistered = -not $WhatIfPreference -or @(Get-ServicePrincipal | Where-Object { "$($_.AppId)" -eq $ClientId }).Count -gt 0
${(isSmtp ? SMTP_STEPS : IMAP_STEPS).trim()}

Write-Step 'Check: the first mailboxes, as they are now'
if (-not $WhatIfPreference) {
    Invoke-ForEachMailbox @($Addresses | Select-Object -First 20) {
        param($Address)
        $Access = @(Get-MailboxPermission -Identity $Address -User $ObjectId | Where-Object { "$($_.AccessRights)" -match 'FullAccess' -and -not $_.Deny })
        $Switches = Get-CASMailbox -Identity $Address
        Write-Host "  $($Address): FullAccess $($Access.Count -gt 0), ${isSmtp ? 'SmtpClientAuthenticationDisabled' : 'ImapEnabled'} $($Switches.${isSmtp ? 'SmtpClientAuthenticationDisabled' : 'ImapEnabled'})"
        if ($Access.Count -eq 0) { Write-Problem "$($Address): the app has no FullAccess." }
    }
}
Write-Summary
Write-Host "The file $ChangesFile names what was changed in mailboxes."
${MORE_MAILBOXES}Write-Host 'Next: check the failed mailboxes again in Muster. The changes may need up to an hour.'`;

const UNDO = `
Connect-Exchange
Undo-Mailboxes
Clear-ServicePrincipal
$Entra = Invoke-Entra 'revoke' $Permissions

Write-Step 'Check: what Entra still grants'
Write-Host "  $($Entra.Granted)"
Write-Summary`;
