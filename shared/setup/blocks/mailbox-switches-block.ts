export const imapSwitchBlock = `
function Confirm-ImapEnabled([string] $Address) {
    if ((Get-CASMailbox -Identity $Address).ImapEnabled) {
        Write-Kept "IMAP for $Address"
    } elseif ($PSCmdlet.ShouldProcess($Address, 'Set-CASMailbox -ImapEnabled $true')) {
        Save-Change 'ImapEnabled' $Address 'False'
        Set-CASMailbox -Identity $Address -ImapEnabled $true
        Write-Changed "IMAP for $Address"
    }
}`;

export const smtpSwitchBlock = `
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
