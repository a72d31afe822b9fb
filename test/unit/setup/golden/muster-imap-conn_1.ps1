#Requires -Version 5.1
<#
.SYNOPSIS
    Lets the app sign in to mailboxes with IMAP.
.DESCRIPTION
    It gives admin consent for IMAP.AccessAsApp, registers the app in Exchange Online, gives it FullAccess to each mailbox, and turns on IMAP where it is off.
    What it changes in mailboxes is written into a file. Keep it for the undo script.
    Made by Muster for one tenant. It holds no secret. It leaves as it is what is already right, so it can be run again.
    With -WhatIf it shows what it would change, and changes nothing.
.PARAMETER Mailbox
    Addresses of mailboxes.
.PARAMETER MailboxFile
    A CSV file with a column email_address, such as failed.csv of an import. It may have any number of rows.
.PARAMETER ChangesFile
    Where the setup script writes what it changes in mailboxes. The undo script changes that back.
.PARAMETER ServicePrincipalObjectId
    Optional: the object ID of the enterprise application, to compare it with what Entra says.
.NOTES
    Who can run it: Exchange Administrator with the role group Organization Management, who is also Privileged Role Administrator for the consent. Global Administrator works too.
    It needs: Install-Module Microsoft.Graph.Applications -Scope CurrentUser
    It needs: Install-Module ExchangeOnlineManagement -Scope CurrentUser
.LINK
    https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
.LINK
    https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/pop3-and-imap4/enable-or-disable-pop3-or-imap4-access
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string[]] $Mailbox = @(
    'jane@contoso.com',
    'joe@contoso.com'
),
    [string] $MailboxFile,
    [string] $ChangesFile = (Join-Path (Get-Location).Path 'muster-conn_1-imap-changes.csv'),
    [string] $ServicePrincipalObjectId
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
$Permissions = 'IMAP.AccessAsApp'
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

function Confirm-FullAccess([string] $Address) {
    $Known = @()
    if ($IsRegistered) {
        $Known = @(Get-MailboxPermission -Identity $Address -User $ObjectId | Where-Object { "$($_.AccessRights)" -match 'FullAccess' -and -not $_.Deny })
    }
    if ($Known.Count -gt 0) {
        Write-Kept "FullAccess to $Address"
    } elseif ($PSCmdlet.ShouldProcess($Address, 'Add-MailboxPermission FullAccess')) {
        Save-Change 'FullAccess' $Address ''
        Add-MailboxPermission -Identity $Address -User $ObjectId -AccessRights FullAccess -AutoMapping $false | Out-Null
        Write-Changed "FullAccess to $Address"
    }
}

function Confirm-ImapEnabled([string] $Address) {
    if ((Get-CASMailbox -Identity $Address).ImapEnabled) {
        Write-Kept "IMAP for $Address"
    } elseif ($PSCmdlet.ShouldProcess($Address, 'Set-CASMailbox -ImapEnabled $true')) {
        Save-Change 'ImapEnabled' $Address 'False'
        Set-CASMailbox -Identity $Address -ImapEnabled $true
        Write-Changed "IMAP for $Address"
    }
}

Write-Host "Muster: $ConnectionName ($ConnectionId)"
Write-Host "Tenant $TenantId, app $ClientId"

$Addresses = @(Get-TargetMailbox)
if ($Addresses.Count -eq 0) { Write-Warning 'No mailboxes are named, so only the app is set up. Name them with -Mailbox or -MailboxFile.' }
$Entra = Invoke-Entra 'grant' $Permissions
Connect-Exchange
Confirm-ServicePrincipal $Entra
$ObjectId = $Entra.ObjectId
# With -WhatIf, the app may not be registered yet.
$IsRegistered = -not $WhatIfPreference -or @(Get-ServicePrincipal | Where-Object { "$($_.AppId)" -eq $ClientId }).Count -gt 0
Write-Step "$($Addresses.Count) mailboxes"
Invoke-ForEachMailbox $Addresses {
    param($Address)
    Confirm-FullAccess $Address
    Confirm-ImapEnabled $Address
}

Write-Step 'Check: the first mailboxes, as they are now'
if (-not $WhatIfPreference) {
    Invoke-ForEachMailbox @($Addresses | Select-Object -First 20) {
        param($Address)
        $Access = @(Get-MailboxPermission -Identity $Address -User $ObjectId | Where-Object { "$($_.AccessRights)" -match 'FullAccess' -and -not $_.Deny })
        $Switches = Get-CASMailbox -Identity $Address
        Write-Host "  $($Address): FullAccess $($Access.Count -gt 0), ImapEnabled $($Switches.ImapEnabled)"
        if ($Access.Count -eq 0) { Write-Problem "$($Address): the app has no FullAccess." }
    }
}
Write-Summary
Write-Host "The file $ChangesFile names what was changed in mailboxes."
if ($NextLine) { Write-Warning "More mailboxes of the import failed. Get the next script with fromLine=$NextLine." }
Write-Host 'Next: check the failed mailboxes again in Muster. The changes may need up to an hour.'
