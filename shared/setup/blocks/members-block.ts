/** Adds mailboxes to the group, each as a direct member, because members of nested groups do not count. */
export const addMembersBlock = `
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
}`;
