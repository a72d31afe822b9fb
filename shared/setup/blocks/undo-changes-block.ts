/** Changes back what the file names. Without the file: withdraws the permissions to the mailboxes that are named. */
export const undoChangesBlock = `
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
}`;
