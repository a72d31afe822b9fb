import type { Entry } from '../directory.ts';
import type { ScenarioTenant } from '../scenario.ts';
import { stableGuid } from '../token-issuer.ts';

const exchangePlan = 'efb87545-963c-4e0d-99df-69c6916d9eb0';
const skuId = '3b555118-da6a-4418-894f-7df1e2096870';
const kindsWithExchangePlan = new Set<Entry['kind']>(['user', 'disabled']);

/** The properties of a user without `$select`. */
export const defaultUserProperties = [
  'businessPhones',
  'displayName',
  'givenName',
  'jobTitle',
  'mail',
  'mobilePhone',
  'officeLocation',
  'preferredLanguage',
  'surname',
  'userPrincipalName',
  'id',
] as const;

/** The only properties that `User.ReadBasic.All` may see. */
export const basicUserProperties = ['displayName', 'givenName', 'mail', 'surname', 'userPrincipalName', 'id'] as const;

export function presentUser(entry: Entry): Record<string, unknown> {
  const isLicensed = kindsWithExchangePlan.has(entry.kind);
  // The accounts of shared and room mailboxes are usually disabled. Their mailboxes work all the same.
  const isEnabled =
    entry.kind === 'user' || entry.kind === 'guest' || entry.kind === 'unlicensed' || entry.kind === 'onPremises';
  return {
    businessPhones: [],
    displayName: entry.displayName,
    givenName: null,
    jobTitle: null,
    mail: entry.address,
    mobilePhone: null,
    officeLocation: null,
    preferredLanguage: null,
    surname: null,
    userPrincipalName: entry.upn,
    id: entry.id,
    accountEnabled: isEnabled,
    userType: entry.kind === 'guest' ? 'Guest' : 'Member',
    proxyAddresses: proxyAddresses(entry),
    assignedLicenses: isLicensed ? [{ disabledPlans: [], skuId }] : [],
    assignedPlans: isLicensed
      ? [
          {
            assignedDateTime: '2025-01-01T00:00:00Z',
            capabilityStatus: 'Enabled',
            service: 'exchange',
            servicePlanId: exchangePlan,
          },
        ]
      : [],
    onPremisesSyncEnabled: entry.kind === 'onPremises' ? true : null,
    mailNickname: entry.address.split('@')[0],
  };
}

/** Upper-case `SMTP:` marks the primary address. */
export function proxyAddresses(entry: Entry): string[] {
  return [`SMTP:${entry.address}`, ...entry.aliases.map((alias) => `smtp:${alias}`)];
}

export function presentGroup(entry: Entry): Record<string, unknown> {
  return {
    id: entry.id,
    displayName: entry.displayName,
    mail: entry.address,
    mailEnabled: true,
    mailNickname: entry.address.split('@')[0],
    securityEnabled: entry.groupType === 'security',
    groupTypes: entry.groupType === 'microsoft365' ? ['Unified'] : [],
    proxyAddresses: proxyAddresses(entry),
  };
}

export function presentContact(entry: Entry): Record<string, unknown> {
  return {
    id: entry.id,
    displayName: entry.displayName,
    mail: entry.address,
    mailNickname: entry.address.split('@')[0],
    proxyAddresses: proxyAddresses(entry),
  };
}

export function presentOrganization({ scenario }: { scenario: ScenarioTenant }): Record<string, unknown> {
  const given = scenario.organization ?? {};
  const organization = Array.isArray(given) ? { verifiedDomains: given } : given;
  const domains = (organization.verifiedDomains ?? scenario.domains).map((domain, index) => ({
    ...{ isDefault: index === 0, isInitial: false },
    ...(typeof domain === 'string' ? { name: domain } : domain),
    type: 'Managed',
    capabilities: 'Email, OfficeCommunicationsOnline',
  }));
  return {
    id: scenario.id,
    displayName: ('displayName' in organization ? organization.displayName : undefined) ?? scenario.name,
    countryLetterCode: ('countryLetterCode' in organization ? organization.countryLetterCode : undefined) ?? 'US',
    tenantType: 'AAD',
    verifiedDomains: domains,
    assignedPlans: [
      {
        assignedDateTime: '2025-01-01T00:00:00Z',
        capabilityStatus: 'Enabled',
        service: 'exchange',
        servicePlanId: exchangePlan,
      },
    ],
  };
}

/** Microsoft's ids of common app roles. Other roles get a simulated id that never changes. */
const appRoleIds: Record<string, string> = {
  'Mail.ReadWrite': 'e2a3a72e-5f79-4c64-b1b1-878b674786c9',
  'Mail.Send': 'b633e1c5-b582-4048-a93e-9f11b44c7e96',
  'Mail.Read': '810c84a8-4a9e-49e6-bf7d-12d183f40d01',
  'Mail.ReadBasic.All': '693c5e45-0940-467d-9b8a-1022fb9d42ef',
  'MailboxSettings.Read': '40f97065-369a-49f4-947c-6a255697ae91',
  'User.ReadBasic.All': '97235f07-e226-4f63-ace3-39588e11d3a1',
  'User.Read.All': 'df021288-bdef-4463-88db-98f22de89214',
  'Organization.Read.All': '498476ce-e0fe-48b0-b801-37ba7e2685c6',
  'Application.Read.All': '9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30',
};

export const appRoleId = (grant: string): string => appRoleIds[grant] ?? stableGuid('appRole', grant);
