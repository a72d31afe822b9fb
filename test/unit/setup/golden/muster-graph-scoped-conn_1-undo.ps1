#Requires -Version 5.1
<#
.SYNOPSIS
    Takes back Application Mail.ReadWrite and Application Mail.Send of RBAC for Applications, with their management scope.
.DESCRIPTION
    Only what the setup script made is removed: it is found by its name.
    Made by Muster for one tenant. It holds no secret. It leaves as it is what is already right, so it can be run again.
    With -WhatIf it shows what it would change, and changes nothing.
.PARAMETER RemoveServicePrincipal
    Also removes the service principal of the app from Exchange Online.
.NOTES
    Who can run it: Exchange Administrator with the role group Organization Management. For reading Entra, no more than the right to read apps.
    It needs: Install-Module ExchangeOnlineManagement -Scope CurrentUser
.LINK
    https://learn.microsoft.com/exchange/permissions-exo/application-rbac
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [switch] $RemoveServicePrincipal
)

Set-StrictMode -Version 1.0
$ErrorActionPreference = 'Stop'

$ConnectionName = [regex]::Unescape('Contoso')
$ConnectionId = 'conn_1'
$TenantId = '5a1c6f3e-0b7d-4e29-9c84-2f6e8d1b7a50'
$ClientId = 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37'
$GraphEnvironment = 'Global'
$ExchangeEnvironment = 'O365Default'
$AppName = 'Muster conn_1'
$ResourceAppId = '00000003-0000-0000-c000-000000000000'
$Permissions = 'Mail.ReadWrite Mail.Send'
$ScopeName = 'Muster conn_1 mail'
$Roles = @(
    'Application Mail.ReadWrite',
    'Application Mail.Send'
)

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

function Clear-Roles {
    Write-Step 'The roles of the app'
    foreach ($Role in $Roles) {
        $Name = $ScopeName + ' ' + $Role.Replace('Application ', '')
        $Known = @(Get-ManagementRoleAssignment -Role $Role | Where-Object { $_.Name -eq $Name })
        if ($Known.Count -eq 0) {
            Write-Kept "no assignment $Name"
        } elseif ($PSCmdlet.ShouldProcess($Name, 'Remove-ManagementRoleAssignment')) {
            Remove-ManagementRoleAssignment -Identity $Name -Confirm:$false
            Write-Changed "no assignment $Name"
        }
    }
}

function Clear-Scope {
    Write-Step "The management scope $ScopeName"
    $Scope = @(Get-ManagementScope | Where-Object { $_.Name -eq $ScopeName })
    # Also what other assignments use it, such as those of a script for another access.
    $Users = @(Get-ManagementRoleAssignment | Where-Object { "$($_.CustomResourceScope)" -eq $ScopeName })
    if ($Scope.Count -eq 0) {
        Write-Kept 'no scope'
    } elseif ($Users.Count -gt 0 -and -not $WhatIfPreference) {
        Write-Host "  The scope stays, because $($Users.Count) other assignments use it."
    } elseif ($PSCmdlet.ShouldProcess($ScopeName, 'Remove-ManagementScope')) {
        Remove-ManagementScope -Identity $ScopeName -Confirm:$false
        Write-Changed 'no scope'
    }
}

function Clear-ServicePrincipal {
    Write-Step 'The app in Exchange Online'
    $Known = @(Get-ServicePrincipal | Where-Object { "$($_.AppId)" -eq $ClientId })
    if ($Known.Count -eq 0) {
        Write-Kept 'no service principal'
    } elseif (-not $RemoveServicePrincipal) {
        Write-Host '  The service principal stays, because other grants may need it. -RemoveServicePrincipal removes it.'
    } else {
        foreach ($One in $Known) {
            if ($PSCmdlet.ShouldProcess("$($One.ObjectId)", 'Remove-ServicePrincipal')) {
                Remove-ServicePrincipal -Identity "$($One.ObjectId)" -Confirm:$false
                Write-Changed "no service principal $($One.ObjectId)"
            }
        }
    }
}

Write-Host "Muster: $ConnectionName ($ConnectionId)"
Write-Host "Tenant $TenantId, app $ClientId"

Connect-Exchange
Clear-Roles
Clear-Scope
Clear-ServicePrincipal

Write-Step 'Check: what RBAC for Applications still grants the app'
foreach ($One in @(Get-ServicePrincipal | Where-Object { "$($_.AppId)" -eq $ClientId })) {
    $Answer = @(Test-ServicePrincipalAuthorization -Identity "$($One.ObjectId)")
    Write-Host ($Answer | Format-Table -Property @('RoleName', 'AllowedResourceScope', 'ScopeType') -AutoSize | Out-String)
}
Write-Summary
