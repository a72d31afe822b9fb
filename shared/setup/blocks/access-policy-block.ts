/** An application access policy. It is found again by its description, which names the connection. */
export const grantPolicyBlock = `
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
}`;

export const withdrawPolicyBlock = `
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
}`;
