#Requires -Version 5.1
<#
.SYNOPSIS
    Removes the application access policy of the app.
.DESCRIPTION
    Afterwards a grant in Entra reaches every mailbox again.
    Made by Muster for one tenant. It holds no secret. It leaves as it is what is already right, so it can be run again.
    With -WhatIf it shows what it would change, and changes nothing.
.NOTES
    Who can run it: Exchange Administrator with the role group Organization Management.
    It needs: Install-Module ExchangeOnlineManagement -Scope CurrentUser
.LINK
    https://learn.microsoft.com/exchange/permissions-exo/application-access-policies
.LINK
    https://learn.microsoft.com/exchange/permissions-exo/application-rbac
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param()

Set-StrictMode -Version 1.0
$ErrorActionPreference = 'Stop'

$ConnectionName = [regex]::Unescape('Contoso')
$ConnectionId = 'conn_1'
$TenantId = '5a1c6f3e-0b7d-4e29-9c84-2f6e8d1b7a50'
$ClientId = 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37'
$GraphEnvironment = 'Global'
$ExchangeEnvironment = 'O365Default'
$AppName = 'Muster conn_1'
$PolicyDescription = 'Muster conn_1'

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

function Connect-Exchange {
    Write-Step 'Exchange Online (a sign-in window may open)'
    if (-not (Get-Module -ListAvailable -Name ExchangeOnlineManagement)) {
        throw 'Exchange Online PowerShell is not installed. Run: Install-Module ExchangeOnlineManagement -Scope CurrentUser'
    }
    Import-Module ExchangeOnlineManagement
    if (@(Get-ConnectionInformation).Count -eq 0) {
        Connect-ExchangeOnline -ExchangeEnvironmentName $ExchangeEnvironment -ShowBanner:$false
    }
    foreach ($Connection in @(Get-ConnectionInformation)) {
        if ("$($Connection.TenantID)" -ne $TenantId) {
            throw "This window is connected to the tenant $($Connection.TenantID). The script is for $TenantId. Run Disconnect-ExchangeOnline, and sign in to that tenant."
        }
    }
}

function Clear-Policy {
    Write-Step 'The application access policy'
    $Own = @(Get-ApplicationAccessPolicy | Where-Object { "$($_.AppId)" -eq $ClientId -and "$($_.Description)" -eq $PolicyDescription })
    if ($Own.Count -eq 0) { Write-Kept 'no policy of this script' }
    foreach ($One in $Own) {
        if ($PSCmdlet.ShouldProcess("$($One.ScopeName)", 'Remove-ApplicationAccessPolicy')) {
            Remove-ApplicationAccessPolicy -Identity "$($One.Identity)" -Confirm:$false
            Write-Changed "no policy for $($One.ScopeName)"
            Write-Warning 'Without a policy, a grant in Entra reaches every mailbox. Withdraw it too if the app must not.'
        }
    }
}

Write-Host "Muster: $ConnectionName ($ConnectionId)"
Write-Host "Tenant $TenantId, app $ClientId"

Connect-Exchange
Clear-Policy

Write-Step 'Check: which policies the app still has'
foreach ($One in @(Get-ApplicationAccessPolicy | Where-Object { "$($_.AppId)" -eq $ClientId })) {
    Write-Host "  $($One.AccessRight) for $($One.ScopeName)"
}
Write-Summary
