/**
 * Goes through a list of mailboxes. What it changes, it first writes into a file, so that the undo script changes back
 * nothing else. Needs the parameters `$Mailbox`, `$MailboxFile` and `$ChangesFile`.
 */
export const mailboxListBlock = `
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
}`;

export const saveChangeBlock = `
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

# The mailbox setting wins. Without one, that of the organization counts.
function Confirm-SmtpEnabled([string] $Address, [bool] $DisabledForAll) {
    $Disabled = (Get-CASMailbox -Identity $Address).SmtpClientAuthenticationDisabled
    if ("$Disabled" -eq 'False' -or ("$Disabled" -eq '' -and -not $DisabledForAll)) {
        Write-Kept "authenticated SMTP for $Address"
    } elseif ($PSCmdlet.ShouldProcess($Address, 'Set-CASMailbox -SmtpClientAuthenticationDisabled $false')) {
        Save-Change 'SmtpClientAuthenticationDisabled' $Address "$Disabled"
        Set-CASMailbox -Identity $Address -SmtpClientAuthenticationDisabled $false
        Write-Changed "authenticated SMTP for $Address"
    }
}`;

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
