#Requires -Version 5.1
<#
.SYNOPSIS
    Deletes the app that the setup script registered.
.DESCRIPTION
    An app that the setup script did not register is not deleted.
    Made by Muster for one tenant. It holds no secret. It leaves as it is what is already right, so it can be run again.
    With -WhatIf it shows what it would change, and changes nothing.
.PARAMETER Tenant
    The tenant: its domain or its ID.
.PARAMETER AppName
    The name of the app in Entra. An app of this name is not registered twice.
.NOTES
    Who can run it: Privileged Role Administrator (Global Administrator works too).
    It needs: Install-Module Microsoft.Graph.Applications -Scope CurrentUser
.LINK
    https://learn.microsoft.com/entra/identity-platform/quickstart-register-app
.LINK
    https://learn.microsoft.com/entra/identity/enterprise-apps/grant-admin-consent
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string] $Tenant = [regex]::Unescape('contoso.com'),
    [string] $AppName = [regex]::Unescape('Muster')
)

Set-StrictMode -Version 1.0
$ErrorActionPreference = 'Stop'
# Functions of modules do not see that preference of a script, so it is given to every command as a parameter.
$PSDefaultParameterValues = @{ '*:ErrorAction' = 'Stop' }

$GraphEnvironment = 'Global'

$Changes = New-Object System.Collections.ArrayList
$Problems = New-Object System.Collections.ArrayList

function Write-Step([string] $Text) {
    Write-Host ''
    Write-Host $Text -ForegroundColor Cyan
}

function Write-Changed([string] $Text) {
    [void] $Changes.Add($Text)
    Write-Host "  changed: $Text" -ForegroundColor Green
}

function Write-Kept([string] $Text) {
    Write-Host "  already so: $Text"
}

function Write-Problem([string] $Text) {
    [void] $Problems.Add($Text)
    Write-Warning $Text
}

function Write-Summary {
    Write-Step 'Summary'
    if ($WhatIfPreference) { Write-Host '  Nothing was changed, because of -WhatIf.' }
    Write-Host "  Changes: $($Changes.Count)"
    Write-Host "  Problems: $($Problems.Count)"
    foreach ($Problem in $Problems) { Write-Host "    $Problem" -ForegroundColor Yellow }
}

function Connect-Entra {
    Write-Step 'Microsoft Entra (a sign-in window may open)'
    if (-not (Get-Module -ListAvailable -Name Microsoft.Graph.Applications)) {
        throw 'Microsoft Graph PowerShell is not installed. Run: Install-Module Microsoft.Graph.Applications -Scope CurrentUser'
    }
    Import-Module Microsoft.Graph.Authentication
    Import-Module Microsoft.Graph.Applications
    $Scopes = @('Application.ReadWrite.All')
    if ($WhatIfPreference) { $Scopes = @('Application.Read.All') }
    Connect-MgGraph -TenantId $Tenant -Environment $GraphEnvironment -Scopes $Scopes -ContextScope Process -NoWelcome | Out-Null
    $Context = Get-MgContext
    Write-Host "  Tenant $($Context.TenantId), as $($Context.Account)"
    $Context.TenantId
}

function Find-App {
    $Found = @(Get-MgApplication -Filter "displayName eq '$($AppName.Replace("'", "''"))'")
    if ($Found.Count -gt 1) { throw "Several apps are called '$AppName'. Choose another name with -AppName." }
    $Found | Select-Object -First 1
}

function Clear-App {
    Write-Step "The app registration '$AppName'"
    $App = Find-App
    if (-not $App) {
        Write-Kept 'no app registration of this name'
        return
    }
    if (@($App.Tags) -notcontains 'Muster') { throw "The app '$AppName' was not made by the setup script. Delete it in the Entra admin center." }
    if ($PSCmdlet.ShouldProcess("$AppName, client ID $($App.AppId)", 'Remove-MgApplication')) {
        Remove-MgApplication -ApplicationId $App.Id | Out-Null
        Write-Changed "no app registration $($App.AppId). It can be restored for 30 days."
    }
}

Connect-Entra | Out-Null
Clear-App

Write-Step 'Check: whether the app is still there'
Write-Host "  $(@(Find-App | Where-Object { $_ }).Count) apps are called '$AppName'"
Disconnect-MgGraph | Out-Null
Write-Summary
