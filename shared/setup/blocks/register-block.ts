/** Registers an app, or deletes it. Runs before a connection exists, so it finds the app by its name. */
export const registerBlock = `
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
}`;

export const createAppBlock = `
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
}`;

export const deleteAppBlock = `
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
}`;
