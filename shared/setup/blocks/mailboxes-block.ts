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

/** Notes a change before it is made, and goes through mailboxes: an error in one does not stop the others. */
export const forEachMailboxBlock = `
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
}`;
