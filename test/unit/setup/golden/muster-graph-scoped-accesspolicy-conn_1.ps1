#Requires -Version 5.1
<#
.SYNOPSIS
    Restricts the app to the members of one group, with an application access policy.
.DESCRIPTION
    The policy grants nothing: the app needs Mail.ReadWrite and Mail.Send in Entra too.
    Microsoft replaces these policies by RBAC for Applications. Use that in a tenant that has none yet.
    Made by Muster for one tenant. It holds no secret. It leaves as it is what is already right, so it can be run again.
    With -WhatIf it shows what it would change, and changes nothing.
.PARAMETER ScopeGroup
    The group whose members the app may reach: its e-mail address.
.PARAMETER TestMailbox
    The mailbox for the check at the end. Without it, the first three members of the group.
.PARAMETER Mailbox
    Addresses of mailboxes.
.PARAMETER MailboxFile
    A CSV file with a column email_address, such as failed.csv of an import. It may have any number of rows.
.PARAMETER ChangesFile
    Where the setup script writes what it changes in mailboxes. The undo script changes that back.
.NOTES
    Who can run it: Exchange Administrator with the role group Organization Management.
    It needs: Install-Module ExchangeOnlineManagement -Scope CurrentUser
.LINK
    https://learn.microsoft.com/exchange/permissions-exo/application-access-policies
.LINK
    https://learn.microsoft.com/exchange/permissions-exo/application-rbac
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string] $ScopeGroup = [regex]::Unescape('muster@contoso.com'),
    [string] $TestMailbox = [regex]::Unescape('jane@contoso.com'),
    [string[]] $Mailbox = @(
    'jane@contoso.com',
    'joe@contoso.com'
),
    [string] $MailboxFile,
    [string] $ChangesFile = (Join-Path (Get-Location).Path 'muster-conn_1-graph-scoped-changes.csv')
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
$PolicyDescription = 'Muster conn_1'
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

function Find-ScopeGroup {
    Write-Step "The group $ScopeGroup"
    try {
        $Group = Get-Recipient -Identity $ScopeGroup
    } catch {
        throw "No recipient is called '$ScopeGroup'. An application access policy needs a mail-enabled security group. $($_.Exception.Message)"
    }
    if (@($Group).Count -ne 1) { throw "Several recipients are called '$ScopeGroup'. Give the e-mail address of the group." }
    if ('MailUniversalSecurityGroup'.Split(' ') -notcontains "$($Group.RecipientTypeDetails)") {
        throw "'$ScopeGroup' is of the type $($Group.RecipientTypeDetails). An application access policy needs a mail-enabled security group."
    }
    Write-Host "  $($Group.DistinguishedName)"
    $Group
}

function Get-ScopeMember($Group) {
    if ("$($Group.RecipientTypeDetails)" -eq 'GroupMailbox') {
        $Members = @(Get-UnifiedGroupLinks -Identity $Group.DistinguishedName -LinkType Members -ResultSize Unlimited)
    } else {
        $Members = @(Get-DistributionGroupMember -Identity $Group.DistinguishedName -ResultSize Unlimited)
    }
    $Nested = @($Members | Where-Object { "$($_.RecipientTypeDetails)" -match 'Group' })
    $Direct = @($Members | Where-Object { "$($_.RecipientTypeDetails)" -notmatch 'Group' })
    Write-Host "  $($Direct.Count) direct members, $($Nested.Count) nested groups"
    foreach ($One in $Nested) {
        Write-Host "  Members of the nested group $($One.PrimarySmtpAddress) are in scope too."
    }
    if ($Direct.Count -eq 0) { Write-Problem 'The group has no mailbox as a direct member.' }
    $Direct
}

function Confirm-Policy($Group) {
    Write-Step 'The application access policy'
    $Policies = @(Get-ApplicationAccessPolicy | Where-Object { "$($_.AppId)" -eq $ClientId })
    $Own = @($Policies | Where-Object { "$($_.Description)" -eq $PolicyDescription })
    foreach ($One in $Policies) {
        if ($Own -notcontains $One) { Write-Problem "The app has another policy too: $($One.AccessRight) for $($One.ScopeName)." }
    }
    $Other = @($Own | Where-Object { "$($_.ScopeName)" -ne "$($Group.Name)" })
    if ($Other.Count -gt 0) {
        throw "The policy of this script is for the group $($Other[0].ScopeName). Run the undo script first, and then this one."
    }
    if ($Own.Count -gt 0) {
        Write-Kept "the app may reach only members of $ScopeGroup"
    } elseif ($PSCmdlet.ShouldProcess($ScopeGroup, 'New-ApplicationAccessPolicy')) {
        New-ApplicationAccessPolicy -AppId $ClientId -PolicyScopeGroupId $Group.DistinguishedName -AccessRight RestrictAccess -Description $PolicyDescription | Out-Null
        Write-Changed "the app may reach only members of $ScopeGroup"
    }
}

function Test-Policy($Members) {
    Write-Step 'Check: what the policy answers'
    if ($WhatIfPreference) { return }
    $Tested = @($Members | Select-Object -First 3 | ForEach-Object { "$($_.PrimarySmtpAddress)" })
    if ($TestMailbox) { $Tested = @($TestMailbox) }
    foreach ($Address in $Tested) {
        $Answer = Test-ApplicationAccessPolicy -Identity $Address -AppId $ClientId
        Write-Host "  $($Address): $($Answer.AccessCheckResult)"
        if ("$($Answer.AccessCheckResult)" -ne 'Granted') { Write-Problem "The policy does not grant access to $Address." }
    }
    Write-Host '  This check passes immediately. The app itself may need more than an hour until the policy applies.'
}

function Save-Change([string] $Change, [string] $Address, [string] $Before) {
    [pscustomobject]@{ At = (Get-Date).ToString('s'); Change = $Change; Mailbox = $Address; Before = $Before } |
        Export-Csv -LiteralPath $ChangesFile -Append -NoTypeInformation -Encoding UTF8
}

function Invoke-ForEachMailbox([string[]] $Addresses, [scriptblock] $Work) {
    $Number = 0
    foreach ($Address in $Addresses) {
        $Number++
        Write-Progress -Activity 'Mailboxes' -Status "$Number of $($Addresses.Count): $Address" -PercentComplete (100 * $Number / $Addresses.Count)
        try {
            & $Work $Address
        } catch {
            Write-Problem "$($Address): $($_.Exception.Message)"
        }
    }
    Write-Progress -Activity 'Mailboxes' -Completed
}

function Confirm-Member([string] $Address, $Group, $Members) {
    # A list may name a mailbox by another of its addresses.
    $Primary = "$((Get-Recipient -Identity $Address).PrimarySmtpAddress)"
    if (@($Members | Where-Object { "$($_.PrimarySmtpAddress)" -eq $Primary }).Count -gt 0) {
        Write-Kept "$Address is a member"
    } elseif ($PSCmdlet.ShouldProcess($Address, "Add to $ScopeGroup")) {
        if ("$($Group.RecipientTypeDetails)" -eq 'GroupMailbox') {
            Save-Change 'UnifiedGroupMember' $Primary "$($Group.PrimarySmtpAddress)"
            Add-UnifiedGroupLinks -Identity $Group.DistinguishedName -LinkType Members -Links $Primary
        } else {
            Save-Change 'GroupMember' $Primary "$($Group.PrimarySmtpAddress)"
            Add-DistributionGroupMember -Identity $Group.DistinguishedName -Member $Primary -BypassSecurityGroupManagerCheck
        }
        Write-Changed "$Address is a member"
    }
}

function Add-NamedMailbox($Group, $Members) {
    $Addresses = @(Get-TargetMailbox)
    if ($Addresses.Count -eq 0) { return }
    Write-Step "$($Addresses.Count) mailboxes as members of $ScopeGroup"
    Invoke-ForEachMailbox $Addresses { param($Address) Confirm-Member $Address $Group $Members }
}

Write-Host "Muster: $ConnectionName ($ConnectionId)"
Write-Host "Tenant $TenantId, app $ClientId"

Connect-Exchange
$Group = Find-ScopeGroup
$Members = @(Get-ScopeMember $Group)
Confirm-Policy $Group
Add-NamedMailbox $Group $Members
Test-Policy $Members
Write-Summary
if ($NextLine) { Write-Warning "More mailboxes of the import failed. Get the next script with fromLine=$NextLine." }
Write-Host 'Next: set a default mailbox that is a member of the group, and run the connection test in Muster.'
