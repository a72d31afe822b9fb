/** The management scope and the role assignments of RBAC for Applications. They are named after the connection. */
export const grantRolesBlock = `
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
}`;

export const withdrawRolesBlock = `
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
}`;
