import { entraBlock } from '../blocks/entra-block.ts';
import { createAppBlock, deleteAppBlock, registerBlock } from '../blocks/register-block.ts';
import { reportBlock } from '../blocks/report-block.ts';
import { environments } from '../environments.ts';
import type { Parameter, ScriptParts } from '../powershell-script.ts';
import { literal, text } from '../powershell-text.ts';
import { permissionsOf } from '../setup-access.ts';
import type { RegistrationInput } from '../setup-input.ts';
import { ENTRA_ROLE, GRAPH_MODULE, pages } from './common-parts.ts';

/** The lifetime that the script gives a client secret: long enough to be rare, short enough to limit a leak. */
const SECRET_DAYS = 180;

/** Registers an app for a tenant and prints what a connection needs. Or deletes it. */
export function registerAppScript(input: RegistrationInput): ScriptParts {
  const { resourceAppId, values } = permissionsOf(input.access, input.method);
  const tenant: Parameter = {
    name: 'Tenant',
    type: 'string',
    help: 'The tenant: its domain or its ID.',
    ...(input.tenant === undefined ? { isRequired: true } : { value: text(input.tenant) }),
  };
  const appName: Parameter = {
    name: 'AppName',
    type: 'string',
    help: 'The name of the app in Entra. An app of this name is not registered twice.',
    value: text(input.appName),
  };
  return {
    synopsis: input.undo
      ? 'Deletes the app that the setup script registered.'
      : 'Registers an app in the tenant, and prints what Muster needs to connect it.',
    description: input.undo
      ? ['An app that the setup script did not register is not deleted.']
      : [
          values.length > 0
            ? `It gives admin consent for ${values.join(' and ')}.`
            : 'It grants no permission in Entra: RBAC for Applications grants the access, for one group.',
        ],
    role: ENTRA_ROLE,
    modules: [GRAPH_MODULE],
    links: [pages.register, pages.consent],
    parameters: [
      tenant,
      appName,
      ...(input.undo
        ? []
        : [
            {
              name: 'CreateSecret',
              type: 'switch',
              help: 'Also creates a client secret, another one at each run, and shows its value in this window.',
            } as const,
            {
              name: 'SecretDays',
              type: 'int',
              help: 'For how many days the client secret works.',
              value: String(SECRET_DAYS),
            } as const,
          ]),
    ],
    settings: [
      ['GraphEnvironment', literal(environments[input.cloud].graph)],
      ...(input.undo
        ? []
        : ([
            ['RedirectUri', text(input.redirectUri)],
            ['ResourceAppId', literal(resourceAppId)],
            ['Permissions', literal(values.join(' '))],
          ] as const)),
    ],
    blocks: [reportBlock, registerBlock, ...(input.undo ? [deleteAppBlock] : [createAppBlock, entraBlock])],
    steps: input.undo ? UNDO : REGISTER,
  };
}

const REGISTER = `
$TenantId = Connect-Entra
$App = Confirm-App
$Secret = $null
if ($CreateSecret) { $Secret = New-ClientSecret $App }

if ($App) {
    $ClientId = $App.AppId
    $Entra = Invoke-Entra 'grant' $Permissions

    Write-Step 'Check: what Entra has granted'
    Write-Host "  $($Entra.Granted)"
    foreach ($Value in @($Permissions -split ' ' | Where-Object { $_ })) {
        if (-not $WhatIfPreference -and ($Entra.Granted -split ' ') -notcontains $Value) { Write-Problem "$Value is not granted." }
    }

    Write-Step 'For Muster'
    Write-Host "  Directory (tenant) ID:    $TenantId"
    Write-Host "  Application (client) ID:  $ClientId"
    if ($Secret) {
        Write-Host "  Client secret, Value:     $($Secret.SecretText)"
        Write-Host "  Client secret, Expires:   $($Secret.EndDateTime.ToString('yyyy-MM-dd', [Globalization.CultureInfo]::InvariantCulture))"
        Write-Warning 'The value is shown only now. Copy it into Muster, and clear this window.'
    }
}
Write-Summary`;

const UNDO = `
Connect-Entra | Out-Null
Clear-App

Write-Step 'Check: whether the app is still there'
Write-Host "  $(@(Find-App | Where-Object { $_ }).Count) apps are called '$AppName'"
Disconnect-MgGraph | Out-Null
Write-Summary`;
