#Requires -Version 5.1
<#
.SYNOPSIS
    Takes back the app's access to mailboxes with SMTP, and SMTP.SendAsApp.
.DESCRIPTION
    In mailboxes it changes back what the file of the setup script names. Without that file it withdraws the permissions to the mailboxes that you name, and leaves every switch as it is.
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
    Who can run it: Exchange Administrator with the role group Organization Management, who is also Privileged Role Administrator for the consent. Global Administrator works too.
    It needs: Install-Module Microsoft.Graph.Applications -Scope CurrentUser
    It needs: Install-Module ExchangeOnlineManagement -Scope CurrentUser
.LINK
    https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
.LINK
    https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string[]] $Mailbox = @(
    'jane@contoso.com',
    'joe@contoso.com'
),
    [string] $MailboxFile,
    [string] $ChangesFile = (Join-Path (Get-Location).Path 'muster-conn_1-smtp-changes.csv'),
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
$ResourceAppId = '00000002-0000-0ff1-ce00-000000000000'
$Permissions = 'SMTP.SendAsApp'
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
Clear-ServicePrincipal
$Entra = Invoke-Entra 'revoke' $Permissions

Write-Step 'Check: what Entra still grants'
Write-Host "  $($Entra.Granted)"
Write-Summary
