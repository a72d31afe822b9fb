/** Signs in to Exchange Online, in the right tenant and cloud. Needs `$TenantId` and `$ExchangeEnvironment`. */
export const connectExchangeBlock = `
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
}`;

/**
 * Makes sure that Exchange Online knows the app's service principal. Needs `$ClientId`, `$AppName` and the parameter
 * `$ServicePrincipalObjectId`.
 */
export const servicePrincipalBlock = `
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
}`;

/** Removes the app's service principal from Exchange Online, if the admin asked for it. */
export const removeServicePrincipalBlock = `
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
}`;
