#Requires -Version 5.1
<#
.SYNOPSIS
    Grants the app Application SMTP.SendAsApp for the direct members of one group, with RBAC for Applications.
.DESCRIPTION
    Mailboxes that you name become members of the group. Members of nested groups are out of scope; the script names those groups.
    Entra must not grant SMTP.SendAsApp as well: such a grant reaches every mailbox. The script tells you if it does.
    Made by Muster for one tenant. It holds no secret. It leaves as it is what is already right, so it can be run again.
    With -WhatIf it shows what it would change, and changes nothing.
.PARAMETER ScopeGroup
    The group whose members the app may reach: its e-mail address.
.PARAMETER TestMailbox
    The mailbox for the check at the end. Without it, the first three members of the group.
.PARAMETER ServicePrincipalObjectId
    Optional: the object ID of the enterprise application, to compare it with what Entra says.
.PARAMETER Mailbox
    Addresses of mailboxes.
.PARAMETER MailboxFile
    A CSV file with a column email_address, such as failed.csv of an import. It may have any number of rows.
.PARAMETER ChangesFile
    Where the setup script writes what it changes in mailboxes. The undo script changes that back.
.NOTES
    Who can run it: Exchange Administrator with the role group Organization Management. For reading Entra, no more than the right to read apps.
    It needs: Install-Module Microsoft.Graph.Applications -Scope CurrentUser
    It needs: Install-Module ExchangeOnlineManagement -Scope CurrentUser
.LINK
    https://learn.microsoft.com/exchange/client-developer/legacy-protocols/smtp-app-rbac-onboarding
.LINK
    https://learn.microsoft.com/exchange/permissions-exo/application-rbac
.LINK
    https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string] $ScopeGroup = [regex]::Unescape('muster@contoso.com'),
    [string] $TestMailbox = [regex]::Unescape('jane@contoso.com'),
    [string] $ServicePrincipalObjectId,
    [string[]] $Mailbox = @(
    'jane@contoso.com',
    'joe@contoso.com'
),
    [string] $MailboxFile,
    [string] $ChangesFile = (Join-Path (Get-Location).Path 'muster-conn_1-smtp-changes.csv')
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
$ResourceAppId = '00000002-0000-0ff1-ce00-000000000000'
$Permissions = 'SMTP.SendAsApp'
$ScopeName = 'Muster conn_1 smtp'
$Roles = @(
    'Application SMTP.SendAsApp'
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

# Looks for the app in Entra. With the action grant it adds what is missing, with revoke it removes the permissions.
$EntraWork = {
    param([string] $Tenant, [string] $AppId, [string] $Environment, [string] $ResourceAppId, [string] $Values, [string] $Action, [bool] $Pretend)
    $ErrorActionPreference = 'Stop'
    $PSDefaultParameterValues = @{ '*:ErrorAction' = 'Stop' }
    $Report = New-Object System.Collections.ArrayList
    try {
        $Wanted = @($Values -split ' ' | Where-Object { $_ })
        Import-Module Microsoft.Graph.Authentication
        Import-Module Microsoft.Graph.Applications
        $Scopes = @('Application.Read.All')
        if ($Action -ne 'look' -and -not $Pretend) { $Scopes = @('Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All') }
        Connect-MgGraph -TenantId $Tenant -Environment $Environment -Scopes $Scopes -ContextScope Process -NoWelcome | Out-Null

        $Principal = @(Get-MgServicePrincipal -Filter "appId eq '$AppId'") | Select-Object -First 1
        $Registration = @(Get-MgApplication -Filter "appId eq '$AppId'") | Select-Object -First 1
        $Resource = @(Get-MgServicePrincipal -Filter "appId eq '$ResourceAppId'") | Select-Object -First 1
        if (-not $Resource) { throw "The tenant does not have the service $ResourceAppId. Does it have a plan with Exchange Online?" }

        $Roles = @()
        foreach ($Value in $Wanted) {
            $Role = $Resource.AppRoles | Where-Object { $_.Value -eq $Value -and $_.AllowedMemberTypes -contains 'Application' } | Select-Object -First 1
            if (-not $Role -and $Action -eq 'look') { continue }
            if (-not $Role) { throw "$($Resource.DisplayName) has no application permission $Value here." }
            $Roles += $Role
        }

        # The list of required permissions belongs to the registration. The app of another company has none in this tenant.
        if ($Action -eq 'grant' -and $Registration) {
            $Same = @($Registration.RequiredResourceAccess | Where-Object { $_.ResourceAppId -eq $ResourceAppId } | ForEach-Object { $_.ResourceAccess })
            $Listed = @($Same | ForEach-Object { $_.Id })
            $Missing = @($Roles | Where-Object { $Listed -notcontains $_.Id })
            if ($Missing.Count -gt 0) {
                $Required = @()
                foreach ($Entry in $Registration.RequiredResourceAccess) {
                    if ($Entry.ResourceAppId -eq $ResourceAppId) { continue }
                    $Required += @{ ResourceAppId = $Entry.ResourceAppId; ResourceAccess = @($Entry.ResourceAccess | ForEach-Object { @{ Id = $_.Id; Type = $_.Type } }) }
                }
                $Access = @($Same | ForEach-Object { @{ Id = $_.Id; Type = $_.Type } })
                $Access += @($Missing | ForEach-Object { @{ Id = $_.Id; Type = 'Role' } })
                $Required += @{ ResourceAppId = $ResourceAppId; ResourceAccess = $Access }
                if (-not $Pretend) { Update-MgApplication -ApplicationId $Registration.Id -RequiredResourceAccess $Required | Out-Null }
                [void] $Report.Add("the registration lists $(@($Missing | ForEach-Object { $_.Value }) -join ', ')")
            }
        }

        if ($Action -eq 'grant' -and -not $Principal) {
            if (-not $Pretend) {
                $Principal = New-MgServicePrincipal -AppId $AppId
                # Entra may need some seconds until it finds what it has just made.
                for ($Try = 0; $Try -lt 12 -and @(Get-MgServicePrincipal -Filter "appId eq '$AppId'").Count -eq 0; $Try++) { Start-Sleep -Seconds 5 }
            }
            [void] $Report.Add('the enterprise application exists')
        }

        $Assigned = @()
        if ($Principal) {
            $Assigned = @(Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $Principal.Id -All | Where-Object { $_.ResourceId -eq $Resource.Id })
        }
        foreach ($Role in $Roles) {
            $Grants = @($Assigned | Where-Object { $_.AppRoleId -eq $Role.Id })
            if ($Action -eq 'grant' -and $Grants.Count -eq 0) {
                if (-not $Pretend) {
                    New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $Principal.Id -PrincipalId $Principal.Id -ResourceId $Resource.Id -AppRoleId $Role.Id | Out-Null
                }
                [void] $Report.Add("admin consent for $($Role.Value)")
            }
            if ($Action -eq 'revoke' -and $Grants.Count -gt 0) {
                foreach ($Grant in $Grants) {
                    if (-not $Pretend) { Remove-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $Principal.Id -AppRoleAssignmentId $Grant.Id | Out-Null }
                }
                [void] $Report.Add("no consent for $($Role.Value)")
            }
        }

        if ($Principal -and -not $Pretend) {
            $Assigned = @(Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $Principal.Id -All | Where-Object { $_.ResourceId -eq $Resource.Id })
        }
        $Granted = @($Resource.AppRoles | Where-Object { @($Assigned | ForEach-Object { $_.AppRoleId }) -contains $_.Id } | ForEach-Object { $_.Value })
        Disconnect-MgGraph | Out-Null
        [pscustomobject]@{
            Failure = ''
            ObjectId = "$(if ($Principal) { $Principal.Id })"
            RegistrationId = "$(if ($Registration) { $Registration.Id })"
            Granted = $Granted -join ' '
            Report = $Report -join '|'
        }
    } catch {
        [pscustomobject]@{ Failure = $_.Exception.Message; ObjectId = ''; RegistrationId = ''; Granted = ''; Report = $Report -join '|' }
    }
}

function Invoke-Entra([string] $Action, [string] $Values) {
    Write-Step 'The app in Microsoft Entra (a sign-in window may open)'
    if (-not (Get-Module -ListAvailable -Name Microsoft.Graph.Applications)) {
        throw 'Microsoft Graph PowerShell is not installed. Run: Install-Module Microsoft.Graph.Applications -Scope CurrentUser'
    }
    # Microsoft Graph PowerShell and the Exchange Online module bring different copies of one library, so that only one of
    # them works in a process. This runs in a process of its own.
    $Engine = 'powershell'
    if ($PSVersionTable.PSEdition -eq 'Core') { $Engine = 'pwsh' }
    $Arguments = @($TenantId, $ClientId, $GraphEnvironment, $ResourceAppId, $Values, $Action, [bool] $WhatIfPreference)
    $Output = & $Engine -NoProfile -Command $EntraWork -args $Arguments
    $Result = @($Output | Where-Object { $_ -and $_.PSObject.Properties['Failure'] }) | Select-Object -Last 1
    if (-not $Result) { throw 'Microsoft Graph PowerShell gave no answer. Run the script again.' }
    foreach ($Text in @("$($Result.Report)".Split('|') | Where-Object { $_ })) {
        if ($WhatIfPreference) { Write-Host "  What if: $Text" } else { Write-Changed $Text }
    }
    if ($Result.Failure) { throw "Microsoft Entra: $($Result.Failure)" }
    if (-not $Result.Report -and $Action -ne 'look') { Write-Kept 'nothing to change' }
    Write-Host "  Object ID of the enterprise application: $($Result.ObjectId)"
    $Result
}

# New-ServicePrincipal accepts any object ID. With a wrong one, every sign-in fails later, so it is compared with Entra's.
function Confirm-ServicePrincipal($Entra) {
    Write-Step 'The app in Exchange Online'
    if (-not $Entra.ObjectId -and $WhatIfPreference) {
        Write-Host '  What if: the app is registered once the enterprise application exists.'
        return
    }
    if (-not $Entra.ObjectId) { throw "Entra has no enterprise application for $ClientId. Grant admin consent first." }
    if ($ServicePrincipalObjectId -and $ServicePrincipalObjectId -eq $Entra.RegistrationId) {
        throw "$ServicePrincipalObjectId is the object ID of the app registration. Exchange Online needs that of the enterprise application: $($Entra.ObjectId)"
    }
    if ($ServicePrincipalObjectId -and $ServicePrincipalObjectId -ne $Entra.ObjectId) {
        throw "$ServicePrincipalObjectId is not the object ID of the enterprise application. The right one is $($Entra.ObjectId)"
    }
    $Known = @(Get-ServicePrincipal | Where-Object { "$($_.AppId)" -eq $ClientId })
    foreach ($One in $Known) {
        if ("$($One.ObjectId)" -eq $Entra.ObjectId) { continue }
        $What = 'an object ID that is not the enterprise application'
        if ("$($One.ObjectId)" -eq $Entra.RegistrationId) { $What = 'the object ID of the app registration' }
        throw "The app is registered in Exchange Online with $What ($($One.ObjectId)). The right one is $($Entra.ObjectId). Run: Remove-ServicePrincipal -Identity $($One.ObjectId), and then this script again."
    }
    if ($Known.Count -gt 0) {
        Write-Kept "service principal $($Entra.ObjectId)"
    } elseif ($PSCmdlet.ShouldProcess($Entra.ObjectId, 'New-ServicePrincipal')) {
        New-ServicePrincipal -AppId $ClientId -ObjectId $Entra.ObjectId -DisplayName $AppName | Out-Null
        Write-Changed "service principal $($Entra.ObjectId)"
    }
}

function Find-ScopeGroup {
    Write-Step "The group $ScopeGroup"
    try {
        $Group = Get-Recipient -Identity $ScopeGroup
    } catch {
        throw "No recipient is called '$ScopeGroup'. RBAC needs a mail-enabled security group, a distribution group or a Microsoft 365 group. $($_.Exception.Message)"
    }
    if (@($Group).Count -ne 1) { throw "Several recipients are called '$ScopeGroup'. Give the e-mail address of the group." }
    if ('MailUniversalSecurityGroup MailUniversalDistributionGroup GroupMailbox'.Split(' ') -notcontains "$($Group.RecipientTypeDetails)") {
        throw "'$ScopeGroup' is of the type $($Group.RecipientTypeDetails). RBAC needs a mail-enabled security group, a distribution group or a Microsoft 365 group."
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
        Write-Problem "Members of the nested group $($One.PrimarySmtpAddress) are out of scope. Add them to $ScopeGroup directly."
    }
    if ($Direct.Count -eq 0) { Write-Problem 'The group has no mailbox as a direct member.' }
    $Direct
}

function Confirm-Scope($Group) {
    Write-Step "The management scope $ScopeName"
    $QuotedDn = "'" + "$($Group.DistinguishedName)".Replace("'", "''") + "'"
    $Filter = "MemberOfGroup -eq $QuotedDn"
    $Scope = @(Get-ManagementScope | Where-Object { $_.Name -eq $ScopeName }) | Select-Object -First 1
    if (-not $Scope) {
        if ($PSCmdlet.ShouldProcess($ScopeName, 'New-ManagementScope')) {
            New-ManagementScope -Name $ScopeName -RecipientRestrictionFilter $Filter | Out-Null
            Write-Changed "scope: $Filter"
        }
    } elseif ("$($Scope.RecipientFilter)".IndexOf($QuotedDn, [StringComparison]::OrdinalIgnoreCase) -ge 0) {
        Write-Kept "scope: $($Scope.RecipientFilter)"
    } elseif ($PSCmdlet.ShouldProcess($ScopeName, 'Set-ManagementScope')) {
        Set-ManagementScope -Identity $ScopeName -RecipientRestrictionFilter $Filter
        Write-Changed "scope: $Filter (it was: $($Scope.RecipientFilter))"
    }
}

function Confirm-RoleAssignment([string] $ObjectId) {
    Write-Step 'The roles of the app'
    foreach ($Role in $Roles) {
        $Name = $ScopeName + ' ' + $Role.Replace('Application ', '')
        $Known = @(Get-ManagementRoleAssignment -Role $Role | Where-Object { $_.Name -eq $Name })
        if ($Known.Count -gt 0) {
            Write-Kept "$Role, for $ScopeName"
        } elseif ($PSCmdlet.ShouldProcess($Role, 'New-ManagementRoleAssignment')) {
            New-ManagementRoleAssignment -Name $Name -Role $Role -App $ObjectId -CustomResourceScope $ScopeName | Out-Null
            Write-Changed "$Role, for $ScopeName"
        }
    }
}

# A grant in Entra is not scoped, and the wider one of two grants counts.
function Confirm-NoEntraGrant([string] $Granted, [string] $Unwanted) {
    foreach ($Value in ($Unwanted -split ' ')) {
        if (($Granted -split ' ') -contains $Value) {
            Write-Problem "$Value is granted in Entra for all mailboxes. That defeats the scope. Remove it: Entra admin center > Enterprise applications > the app > Permissions."
        }
    }
}

function Test-Roles([string] $ObjectId, $Members) {
    Write-Step 'Check: what the app may do (RBAC for Applications alone, without grants in Entra)'
    if ($WhatIfPreference) { return }
    $Tested = @($Members | Select-Object -First 3 | ForEach-Object { "$($_.PrimarySmtpAddress)" })
    if ($TestMailbox) { $Tested = @($TestMailbox) }
    foreach ($Address in $Tested) {
        Write-Host "  $Address"
        $Answer = @(Test-ServicePrincipalAuthorization -Identity $ObjectId -Resource $Address)
        Write-Host ($Answer | Format-Table -Property @('RoleName', 'AllowedResourceScope', 'ScopeType', 'InScope') -AutoSize | Out-String)
        foreach ($Role in $Roles) {
            if (@($Answer | Where-Object { $_.RoleName -eq $Role -and "$($_.InScope)" -eq 'True' }).Count -eq 0) {
                Write-Problem "$Address is not in the scope of $Role."
            }
        }
    }
    Write-Host '  This check passes immediately. The app itself gets access after 30 minutes to 2 hours. Trying often makes it take longer.'
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

# The mailbox setting wins. Without one, that of the organization counts.
function Confirm-SmtpEnabled([string] $Address, [bool] $DisabledForAll) {
    $Disabled = (Get-CASMailbox -Identity $Address).SmtpClientAuthenticationDisabled
    if ("$Disabled" -eq 'False' -or ("$Disabled" -eq '' -and -not $DisabledForAll)) {
        Write-Kept "authenticated SMTP for $Address"
    } elseif ($PSCmdlet.ShouldProcess($Address, 'Set-CASMailbox -SmtpClientAuthenticationDisabled $false')) {
        Save-Change 'SmtpClientAuthenticationDisabled' $Address "$Disabled"
        Set-CASMailbox -Identity $Address -SmtpClientAuthenticationDisabled $false
        Write-Changed "authenticated SMTP for $Address"
    }
}

Write-Host "Muster: $ConnectionName ($ConnectionId)"
Write-Host "Tenant $TenantId, app $ClientId"

$Entra = Invoke-Entra 'look' $Permissions
Connect-Exchange
Confirm-ServicePrincipal $Entra
$Group = Find-ScopeGroup
$Members = @(Get-ScopeMember $Group)
Confirm-Scope $Group
Confirm-RoleAssignment $Entra.ObjectId
Add-NamedMailbox $Group $Members
Confirm-NoEntraGrant $Entra.Granted $Permissions

$Addresses = @(Get-TargetMailbox)
Write-Step "Authenticated SMTP for $($Addresses.Count) mailboxes"
$DisabledForAll = [bool] (Get-TransportConfig).SmtpClientAuthenticationDisabled
Write-Host "  Turned off for the organization: $DisabledForAll"
Invoke-ForEachMailbox $Addresses { param($Address) Confirm-SmtpEnabled $Address $DisabledForAll }
Test-Roles $Entra.ObjectId $Members
Write-Summary
if ($NextLine) { Write-Warning "More mailboxes of the import failed. Get the next script with fromLine=$NextLine." }
Write-Host 'Next: set a default mailbox that is a member of the group, and run the connection test in Muster.'
