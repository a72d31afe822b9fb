/** Gives the app's service principal, `$ObjectId`, access to a mailbox. */
export const fullAccessBlock = `
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
}`;

/** Lets the app send from other addresses than that of a mailbox that it may use. */
export const sendAsBlock = `
function Confirm-SendAs([string] $Address) {
    $Known = @()
    if ($IsRegistered) {
        $Known = @(Get-RecipientPermission -Identity $Address -Trustee $ObjectId | Where-Object { "$($_.AccessRights)" -match 'SendAs' })
    }
    if ($Known.Count -gt 0) {
        Write-Kept "SendAs for $Address"
    } elseif ($PSCmdlet.ShouldProcess($Address, 'Add-RecipientPermission SendAs')) {
        Save-Change 'SendAs' $Address ''
        Add-RecipientPermission -Identity $Address -Trustee $ObjectId -AccessRights SendAs -Confirm:$false | Out-Null
        Write-Changed "SendAs for $Address"
    }
}`;
