#Requires -Version 5.1
<#
.SYNOPSIS
    Registers an app in the tenant, and prints what Muster needs to connect it.
.DESCRIPTION
    It gives admin consent for Mail.ReadWrite and Mail.Send.
    Made by Muster for one tenant. It holds no secret. It leaves as it is what is already right, so it can be run again.
    With -WhatIf it shows what it would change, and changes nothing.
.PARAMETER Tenant
    The tenant: its domain or its ID.
.PARAMETER AppName
    The name of the app in Entra. An app of this name is not registered twice.
.PARAMETER CreateSecret
    Also creates a client secret, another one at each run, and shows its value in this window.
.PARAMETER SecretDays
    For how many days the client secret works.
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
    [string] $AppName = [regex]::Unescape('Muster'),
    [switch] $CreateSecret,
    [int] $SecretDays = 180
)

Set-StrictMode -Version 1.0
$ErrorActionPreference = 'Stop'
# Functions of modules do not see that preference of a script, so it is given to every command as a parameter.
$PSDefaultParameterValues = @{ '*:ErrorAction' = 'Stop' }

$GraphEnvironment = 'Global'
$RedirectUri = [regex]::Unescape('https://muster.example/v1/consent/callback')
$ResourceAppId = '00000003-0000-0000-c000-000000000000'
$Permissions = 'Mail.ReadWrite Mail.Send'

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

function Confirm-App {
    Write-Step "The app registration '$AppName'"
    $App = Find-App
    if ($App) {
        # Not an app of somebody else that happens to have this name: it would get the permissions, and a secret.
        if (@($App.Tags) -notcontains 'Muster') { throw "An app called '$AppName' exists, and was not made by this script. Choose another name with -AppName." }
        Write-Kept "app registration, client ID $($App.AppId)"
        $Uris = @($App.Web.RedirectUris | Where-Object { $_ })
        if ($Uris -contains $RedirectUri) {
            Write-Kept "redirect URI $RedirectUri"
        } elseif ($PSCmdlet.ShouldProcess($AppName, 'Update-MgApplication, redirect URI')) {
            Update-MgApplication -ApplicationId $App.Id -Web @{ RedirectUris = @($Uris + $RedirectUri) } | Out-Null
            Write-Changed "redirect URI $RedirectUri"
        }
    } elseif ($PSCmdlet.ShouldProcess($AppName, 'New-MgApplication')) {
        $App = New-MgApplication -DisplayName $AppName -SignInAudience 'AzureADMyOrg' -Tags @('Muster') -Web @{ RedirectUris = @($RedirectUri) }
        Write-Changed "app registration, client ID $($App.AppId)"
        # Entra may need some seconds until it finds what it has just made.
        for ($Try = 0; $Try -lt 12 -and @(Get-MgApplication -Filter "appId eq '$($App.AppId)'").Count -eq 0; $Try++) { Start-Sleep -Seconds 5 }
    }
    $App
}

# Microsoft shows the value of a client secret only now. It goes to nobody but this window.
function New-ClientSecret($App) {
    Write-Step "A client secret for $SecretDays days"
    if (-not $App) { return }
    if ($PSCmdlet.ShouldProcess($AppName, 'Add-MgApplicationPassword')) {
        $Ends = (Get-Date).ToUniversalTime().AddDays($SecretDays)
        $Secret = Add-MgApplicationPassword -ApplicationId $App.Id -PasswordCredential @{ DisplayName = 'Muster'; EndDateTime = $Ends }
        Write-Changed "client secret $($Secret.KeyId)"
        $Secret
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
    $Output = & $EntraWork $TenantId $ClientId $GraphEnvironment $ResourceAppId $Values $Action ([bool] $WhatIfPreference)
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
Write-Summary
