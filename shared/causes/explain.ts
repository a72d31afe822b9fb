import type { Cause } from './cause.ts';
import { type CauseCode, causes } from './causes.ts';
import { grantOf, howToAssignRoles, howToGrant, mailboxAccess, permissionsOf } from './grants.ts';
import type { DenialHints, Probe } from './verdict.ts';

/** What is known of the case that a text is about. */
export interface KnownCase {
  /** The probes that it is about; absent if unknown. */
  probes?: readonly Probe[] | undefined;
  /** If one mailbox denied one probe. */
  denial?: DenialHints | undefined;
  /** The app is the vendor's, so the tenant's admins can only consent to what its registration asks for. */
  isVendorApp?: boolean | undefined;
}

export type Explanation = Pick<Cause, 'sentence' | 'fix' | 'link'>;

/** The texts of a cause, with the permission that is meant. They claim only what is known of the case. */
export function explain(cause: CauseCode, known: KnownCase = {}): Explanation {
  const { sentence, fix, link } = causes[cause];
  const { probes = [], denial } = known;
  if (probes.length === 0) return { sentence, fix, link };
  return { sentence, fix, link, ...ofProbes[cause]?.(probes as Probes, denial, known.isVendorApp ?? false) };
}

/** What a finding keeps for its texts; nothing for a cause whose texts are always the same. */
export function knownOf(
  cause: CauseCode,
  { probes, denial, isVendorApp }: KnownCase,
): { probes?: readonly Probe[]; denial?: DenialHints; isVendorApp?: true } {
  if (!Object.hasOwn(ofProbes, cause)) return {};
  return { ...(probes && { probes }), ...(denial && { denial }), ...(isVendorApp && { isVendorApp }) };
}

type Probes = readonly [Probe, ...Probe[]];
type Specific = (probes: Probes, denial: DenialHints | undefined, isVendorApp: boolean) => Partial<Explanation>;

/** The causes that are about permissions. */
const ofProbes: Partial<Record<CauseCode, Specific>> = {
  permission_missing: (probes, denial, isVendorApp) => ({
    sentence: denial
      ? deniedTo(probes, denial)
      : `Entra does not list ${permissionsOf(probes)} among the app’s permissions.`,
    fix: isListed(denial)
      ? withdrawn(probes)
      : sentences(howToGrant(probes, isVendorApp), mailboxAccess(probes), howToAssignRoles(probes)),
  }),
  consent_missing: (probes, denial, isVendorApp) => ({
    ...(isListed(denial) && { sentence: deniedTo(probes, denial) }),
    fix: isListed(denial)
      ? withdrawn(probes)
      : sentences(
          howToGrant(probes, isVendorApp),
          mailboxAccess(probes),
          howToAssignRoles(probes),
          byDefaultMailbox(probes),
        ),
  }),
  mailbox_out_of_scope: ([probe], denial) => {
    const { act, role } = grantOf[probe];
    const permission = permissionsOf([probe]);
    if (!denial) return { sentence: `The app has ${permission}, but Microsoft does not let it ${act} this mailbox.` };
    return denial.token === 'grants'
      ? {
          sentence: `${listed(permission)}, but Microsoft does not let it ${act} this mailbox.`,
          fix: `Entra grants ${permission} for the whole tenant, so only a policy can exclude a mailbox. ${CHECK_POLICY} If it is, and a permission or a policy has changed within the last two hours, check the mailbox again later. Otherwise, contact us with the request ID.`,
          link: ACCESS_POLICIES,
        }
      : {
          sentence: `Other mailboxes of this connection pass this check, but Microsoft does not let the app ${act} this one.`,
          ...(role && { fix: `${addToScope(`role “${role}”`)} ${CHECK_SCOPE}` }),
        };
  },
  mailbox_unlicensed_or_on_premises: ([probe], denial) => {
    if (!denial) return {};
    const permission = permissionsOf([probe]);
    return {
      sentence: `${listed(permission)}, but Microsoft does not let it ${grantOf[probe].act} this mailbox. That is how it answers if an account has no active mailbox in Exchange Online: it may be unlicensed or deleted, or its mailbox may be on-premises.`,
    };
  },
};

const ACCESS_POLICIES = 'https://learn.microsoft.com/graph/auth-limit-mailbox-access';
const CHECK_POLICY =
  'In Exchange Online PowerShell, run Test-ApplicationAccessPolicy -Identity <address> -AppId <client id>: the result must be Granted.';
const CHECK_SCOPE =
  'Then run Test-ServicePrincipalAuthorization -Identity <app> -Resource <address>: InScope must be True. The change takes 30 minutes to 2 hours to apply.';
const addToScope = (role: string) =>
  `Add the mailbox to the scope of the app’s ${role} in Exchange Online: make it a direct member of the group that the management scope names. Members of nested groups do not count.`;

const isListed = (denial: DenialHints | undefined): denial is DenialHints => denial?.token === 'grants';

/** Every mailbox is denied, although the token that the app got earlier has the permission. */
function withdrawn(probes: Probes): string {
  return `In the Entra admin center, open Enterprise applications > the app > Permissions. If ${permissionsOf(probes)} is no longer listed, choose “Grant admin consent”. If it is, run Get-ApplicationAccessPolicy in Exchange Online PowerShell, and look for a policy that keeps the app out of every mailbox.`;
}

function deniedTo(probes: Probes, { token }: DenialHints): string {
  const lists = token === 'grants' ? 'although Entra lists' : 'and Entra does not list';
  return `Microsoft does not let the app ${grantOf[probes[0]].act} the mailbox, ${lists} ${permissionsOf(probes)} among its permissions.`;
}

const listed = (permission: string) => `Entra lists ${permission} among the app’s permissions`;

function byDefaultMailbox(probes: Probes): string {
  if (howToAssignRoles(probes) === '') return '';
  return 'If you do, set a default mailbox that is in scope: the connection test then checks access to it.';
}

function sentences(...parts: string[]): string {
  return parts.filter((part) => part !== '').join(' ');
}
