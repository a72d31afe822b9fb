/**
 * Looks a group up: what it is, its distinguished name, and its direct members. `rbac` needs direct members, because
 * members of nested groups are out of scope. An access policy needs a mail-enabled security group.
 */
const find = (types: string, needs: string, nested: string) => `
function Find-ScopeGroup {
    Write-Step "The group $ScopeGroup"
    try {
        $Group = Get-Recipient -Identity $ScopeGroup
    } catch {
        throw "No recipient is called '$ScopeGroup'. ${needs} $($_.Exception.Message)"
    }
    if (@($Group).Count -ne 1) { throw "Several recipients are called '$ScopeGroup'. Give the e-mail address of the group." }
    if ('${types}'.Split(' ') -notcontains "$($Group.RecipientTypeDetails)") {
        throw "'$ScopeGroup' is of the type $($Group.RecipientTypeDetails). ${needs}"
    }
    Write-Host "  $($Group.DistinguishedName)"
    $Group
}

function Get-ScopeMember($Group) {
    if ("$($Group.RecipientTypeDetails)" -eq 'GroupMailbox') {
        $Members = @(Get-UnifiedGroupLinks -Identity $Group.DistinguishedName -LinkType Members -ResultSize Unlimited)
    } else {
        $Members = @(Get-DistributionGroupMember -Identity $Group.DistinguishedName -ResultSize Unlimited)
    }
    $Nested = @($Members | Where-Object { "$($_.RecipientTypeDetails)" -match 'Group' })
    $Direct = @($Members | Where-Object { "$($_.RecipientTypeDetails)" -notmatch 'Group' })
    Write-Host "  $($Direct.Count) direct members, $($Nested.Count) nested groups"
    foreach ($One in $Nested) {
        ${nested}
    }
    if ($Direct.Count -eq 0) { Write-Problem 'The group has no mailbox as a direct member.' }
    $Direct
}`;

export const rbacGroupBlock = find(
  'MailUniversalSecurityGroup MailUniversalDistributionGroup GroupMailbox',
  'RBAC needs a mail-enabled security group, a distribution group or a Microsoft 365 group.',
  'Write-Problem "Members of the nested group $($One.PrimarySmtpAddress) are out of scope. Add them to $ScopeGroup directly."',
);

export const policyGroupBlock = find(
  'MailUniversalSecurityGroup',
  'An application access policy needs a mail-enabled security group.',
  'Write-Host "  Members of the nested group $($One.PrimarySmtpAddress) are in scope too."',
);
