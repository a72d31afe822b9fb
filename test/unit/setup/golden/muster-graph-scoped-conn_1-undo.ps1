#Requires -Version 5.1
<#
.SYNOPSIS
    Takes back Application Mail.ReadWrite and Application Mail.Send of RBAC for Applications, with their management scope.
.DESCRIPTION
    Only what the setup script made is removed: roles and scope are found by their names, what was changed in mailboxes and in the group by the file of the setup script.
    Made by Muster for one tenant. It holds no secret. It leaves as it is what is already right, so it can be run again.
    With -WhatIf it shows what it would change, and changes nothing.
.PARAMETER Mailbox
    Addresses of mailboxes.
.PARAMETER MailboxFile
    A CSV file with a column email_address, such as failed.csv of an import. It may have any number of rows.
.PARAMETER ChangesFile
    Where the setup script writes what it changes in mailboxes. The undo script changes that back.
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
    [string[]] $Mailbox = @(
    'jane@contoso.com',
    'joe@contoso.com'
),
    [string] $MailboxFile,
    [string] $ChangesFile = (Join-Path (Get-Location).Path 'muster-conn_1-graph-scoped-changes.csv'),
    [switch] $RemoveServicePrincipal
)

Set-StrictMode -Version 1.0
$ErrorActionPreference = 'Stop'
# Functions of modules do not see that preference of a script, so it is given to every command as a parameter.
$PSDefaultParameterValues = @{ '*:ErrorAction' = 'Stop' }

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
$NextLine = '1001'

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

function Get-TargetMailbox {
    $Addresses = @($Mailbox | Where-Object { $_ })
    if ($MailboxFile) {
        foreach ($Row in (Import-Csv -LiteralPath $MailboxFile -Encoding UTF8)) {
            foreach ($Column in @('email_address', 'address', 'Email', 'PrimarySmtpAddress', 'UserPrincipalName')) {
                if ($Row.PSObject.Properties[$Column] -and $Row.$Column) {
                    # Reports have an apostrophe before what a spreadsheet would take for a formula.
                    $Addresses += $Row.$Column -replace "^'(?=[=+@-])", ''
                    break
                }
            }
        }
    }
    @($Addresses | ForEach-Object { "$_".Trim() } | Where-Object { $_ } | Select-Object -Unique)
}

function Undo-Change($Row, [string] $ObjectId) {
    $Address = $Row.Mailbox
    if ($Row.Change -eq 'FullAccess') {
        $Known = @(Get-MailboxPermission -Identity $Address -User $ObjectId | Where-Object { "$($_.AccessRights)" -match 'FullAccess' -and -not $_.Deny })
        if ($Known.Count -eq 0) { Write-Kept "no FullAccess to $Address"; return }
        if ($PSCmdlet.ShouldProcess($Address, 'Remove-MailboxPermission FullAccess')) {
            Remove-MailboxPermission -Identity $Address -User $ObjectId -AccessRights FullAccess -Confirm:$false
            Write-Changed "no FullAccess to $Address"
        }
    }
    if ($Row.Change -eq 'SendAs') {
        $Known = @(Get-RecipientPermission -Identity $Address -Trustee $ObjectId | Where-Object { "$($_.AccessRights)" -match 'SendAs' })
        if ($Known.Count -eq 0) { Write-Kept "no SendAs for $Address"; return }
        if ($PSCmdlet.ShouldProcess($Address, 'Remove-RecipientPermission SendAs')) {
            Remove-RecipientPermission -Identity $Address -Trustee $ObjectId -AccessRights SendAs -Confirm:$false
            Write-Changed "no SendAs for $Address"
        }
    }
    if ($Row.Change -eq 'GroupMember' -and $PSCmdlet.ShouldProcess($Address, "Remove from $($Row.Before)")) {
        Remove-DistributionGroupMember -Identity $Row.Before -Member $Address -BypassSecurityGroupManagerCheck -Confirm:$false
        Write-Changed "$Address is not a member of $($Row.Before)"
    }
    if ($Row.Change -eq 'UnifiedGroupMember' -and $PSCmdlet.ShouldProcess($Address, "Remove from $($Row.Before)")) {
        Remove-UnifiedGroupLinks -Identity $Row.Before -LinkType Members -Links $Address -Confirm:$false
        Write-Changed "$Address is not a member of $($Row.Before)"
    }
    if ($Row.Change -eq 'ImapEnabled' -and $PSCmdlet.ShouldProcess($Address, 'Set-CASMailbox -ImapEnabled $false')) {
        Set-CASMailbox -Identity $Address -ImapEnabled $false
        Write-Changed "IMAP is off for $Address, as it was"
    }
    if ($Row.Change -eq 'SmtpClientAuthenticationDisabled') {
        $Before = $null
        if ($Row.Before -eq 'True') { $Before = $true }
        if ($PSCmdlet.ShouldProcess($Address, 'Set-CASMailbox -SmtpClientAuthenticationDisabled, as it was')) {
            Set-CASMailbox -Identity $Address -SmtpClientAuthenticationDisabled $Before
            Write-Changed "authenticated SMTP for $Address is set as it was"
        }
    }
}

function Undo-Mailboxes {
    Write-Step 'The mailboxes'
    $Known = @(Get-ServicePrincipal | Where-Object { "$($_.AppId)" -eq $ClientId }) | Select-Object -First 1
    $ObjectId = "$(if ($Known) { $Known.ObjectId })"
    $Rows = @()
    if (Test-Path -LiteralPath $ChangesFile) {
        $Rows = @(Import-Csv -LiteralPath $ChangesFile -Encoding UTF8)
    } else {
        Write-Host "  There is no file $ChangesFile, so nobody knows which switches were off before. Only permissions are withdrawn."
        foreach ($Address in (Get-TargetMailbox)) {
            foreach ($Change in @('FullAccess', 'SendAs')) { $Rows += [pscustomobject]@{ Change = $Change; Mailbox = $Address; Before = '' } }
        }
    }
    foreach ($Row in $Rows) {
        if (-not $ObjectId -and @('FullAccess', 'SendAs') -contains $Row.Change) { continue }
        try {
            Undo-Change $Row $ObjectId
        } catch {
            Write-Problem "$($Row.Mailbox): $($_.Exception.Message)"
        }
    }
    if ((Test-Path -LiteralPath $ChangesFile) -and $Problems.Count -eq 0 -and $PSCmdlet.ShouldProcess($ChangesFile, 'Rename, because it is undone')) {
        Move-Item -LiteralPath $ChangesFile -Destination ($ChangesFile + '.undone') -Force
    }
}

Write-Host "Muster: $ConnectionName ($ConnectionId)"
Write-Host "Tenant $TenantId, app $ClientId"

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
Write-Summary
