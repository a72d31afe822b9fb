import { entraBlock } from '../blocks/entra-block.ts';
import { reportBlock } from '../blocks/report-block.ts';
import type { ScriptParts } from '../powershell-script.ts';
import { literal } from '../powershell-text.ts';
import { mailPermissionsOf, permissionsOf } from '../setup-access.ts';
import type { SetupInput } from '../setup-input.ts';
import { connectionSettings, ENTRA_ROLE, GRAPH_MODULE, INTRODUCTION, pages } from './common-parts.ts';

/** Grants the app its permissions of Microsoft Graph for every mailbox of the tenant, or withdraws them. */
export function graphScript(input: SetupInput): ScriptParts {
  const { resourceAppId } = permissionsOf('graph', undefined);
  const values = mailPermissionsOf(input.connection, input.undo);
  const names = values.join(' and ');
  return {
    synopsis: input.undo
      ? `Withdraws ${names} of Microsoft Graph from the app.`
      : `Grants the app ${names} of Microsoft Graph, for every mailbox of the tenant.`,
    description: [
      input.undo
        ? 'The app registration and its list of permissions stay. What RBAC for Applications grants stays too.'
        : 'It lists the permissions in the app registration, makes sure that the enterprise application exists, and gives admin consent.',
    ],
    role: ENTRA_ROLE,
    modules: [GRAPH_MODULE],
    links: [pages.consent],
    parameters: [],
    settings: [
      ...connectionSettings(input),
      ['ResourceAppId', literal(resourceAppId)],
      ['Permissions', literal(values.join(' '))],
    ],
    blocks: [reportBlock, entraBlock],
    steps: `${INTRODUCTION.trim()}\n${input.undo ? UNDO : GRANT}`,
  };
}

const GRANT = `
$Entra = Invoke-Entra 'grant' $Permissions

Write-Step 'Check: what Entra has granted'
Write-Host "  $($Entra.Granted)"
foreach ($Value in ($Permissions -split ' ')) {
    if (-not $WhatIfPreference -and ($Entra.Granted -split ' ') -notcontains $Value) { Write-Problem "$Value is not granted." }
}
Write-Summary
Write-Host 'Next: run the connection test in Muster. A new grant may need some minutes.'`;

const UNDO = `
$Entra = Invoke-Entra 'revoke' $Permissions

Write-Step 'Check: what Entra still grants'
Write-Host "  $($Entra.Granted)"
foreach ($Value in ($Permissions -split ' ')) {
    if (-not $WhatIfPreference -and ($Entra.Granted -split ' ') -contains $Value) { Write-Problem "$Value is still granted." }
}
Write-Summary`;
