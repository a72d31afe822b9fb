import { z } from 'zod';
import { appSchema } from './app.ts';
import { mailboxSchema, recipientSchema } from './mailbox.ts';
import { personSchema } from './person.ts';

const propagation = z.strictObject({ seconds: z.number().min(0), extendsWhenAsked: z.boolean().default(false) });

const throttle = z.strictObject({
  perMailboxConcurrent: z.number().int().min(1).optional(),
  perAppPerTenantPer10s: z.number().int().min(0).optional(),
  retryAfterSeconds: z.number().min(0).default(10),
  omitRetryAfter: z.boolean().default(false),
  /** How `Retry-After` is written. HTTP allows seconds and a date, and some proxies double the header. */
  retryAfterForm: z.enum(['seconds', 'date', 'doubled']).default('seconds'),
});

const rate = z.number().min(0).max(1).default(0);

const faultRates = z.strictObject({
  throttled: rate,
  unavailable: rate,
  dropped: rate,
  garbage: rate,
  seed: z.int().default(1),
  retryAfterSeconds: z.number().min(0).default(1),
});

const verifiedDomain = z.union([
  z.string().min(1),
  z.strictObject({ name: z.string().min(1), isDefault: z.boolean().optional(), isInitial: z.boolean().optional() }),
]);

const deltaLinks = z.strictObject({
  /** How long a delta link works. Directory objects have had seven days since 2021. */
  validSeconds: z.number().min(0).default(604_800),
  /** The answer afterwards. Both are seen: 400 `syncStateNotFound` and 410. */
  expiredAnswer: z.enum(['badRequest', 'gone']).default('badRequest'),
});

const organization = z.union([
  z.array(verifiedDomain),
  z.strictObject({
    displayName: z.string().optional(),
    countryLetterCode: z.string().optional(),
    verifiedDomains: z.array(verifiedDomain).optional(),
  }),
]);

const tenantFields = z.strictObject({
  id: z.guid(),
  name: z.string().min(1),
  /** What Graph offers differs: https://learn.microsoft.com/graph/deployments. Addresses and tokens do not. */
  cloud: z.enum(['global', 'usgov', 'usgovdod', 'china']).default('global'),
  domains: z.array(z.string().regex(/^[^\s@/]+\.[^\s@/]+$/, 'must be a domain')).min(1),
  apps: z.array(appSchema).default([]),
  mailboxes: z.array(mailboxSchema).default([]),
  recipients: z.array(recipientSchema).default([]),
  /** Who can sign in. Without it, an admin and someone without a role. */
  people: z.array(personSchema).optional(),
  propagation: propagation.nullable().default(null),
  throttle: throttle.nullable().default(null),
  smtpAuthDisabled: z.boolean().default(false),
  /** Why SMTP refuses a password: basic authentication is disabled, blocked by security defaults, or retired. */
  basicAuth: z.enum(['disabled', 'securityDefaults', 'retired']).optional(),
  /** SMTP accepts no message: the tenant is over its threshold, or the domain is not registered. */
  sendingBlocked: z.enum(['5.7.705', '5.7.750']).optional(),
  /** How many seconds ago the grants were made. Propagation counts from then. */
  grantsFreshSeconds: z.number().min(0).nullable().optional(),
  organization: organization.nullable().optional(),
  tokenSeconds: z.int().min(1).default(3599),
  /** The links of delta queries. */
  deltaLinks: deltaLinks.prefault({}),
  /** How far Entra's clock is ahead of this machine's: in its `Date` headers, and for the times of assertions. */
  clockOffsetSeconds: z.int().default(0),
  /** The share of all calls that fails. A seeded generator picks them. */
  faultRates: faultRates.nullable().default(null),
  /** The organization is marked for removal (`ErrorOrganizationAccessBlocked`). */
  organizationBlocked: z.boolean().default(false),
  /** Resources without a service principal in the tenant, such as `https://outlook.office365.com` (AADSTS500011). */
  missingResources: z.array(z.string().min(1)).default([]),
  /** A refused `sendMail` leaves its message in Drafts. */
  sendLeavesDraft: z.boolean().default(false),
  /**
   * A `POST`, `PATCH` or `PUT` part without a body or a Content-Type fails the whole batch with 400, as real Graph does
   * in msgraph-sdk-dotnet issue 2628.
   */
  refusesBodilessParts: z.boolean().default(true),
});

type Tenant = z.infer<typeof tenantFields>;
type Report = (path: (string | number)[], message: string) => void;

export const tenantSchema = tenantFields.superRefine((tenant, context) => {
  const report: Report = (path, message) => context.addIssue({ code: 'custom', path, message });
  reportRepeatedApps(tenant, report);
  reportWrongTemplates(tenant, report);
  reportRepeatedAddresses(tenant, report);
  reportRepeatedPeople(tenant, report);
});

function reportRepeatedApps({ apps }: Tenant, report: Report): void {
  const seen = new Set<string>();
  for (const [index, { clientId }] of apps.entries()) {
    if (seen.has(clientId.toLowerCase())) report(['apps', index, 'clientId'], 'occurs twice');
    seen.add(clientId.toLowerCase());
  }
}

/** Generated mailboxes need `{n}` in each of their addresses. Other mailboxes must not have it. */
function reportWrongTemplates({ mailboxes }: Tenant, report: Report): void {
  for (const [index, { id, address, upn, aliases, generate }] of mailboxes.entries()) {
    const isGenerated = generate !== undefined;
    if (isGenerated && id) report(['mailboxes', index, 'id'], 'is not allowed with generate');
    const addresses: [string, string | undefined][] = [
      ['address', address],
      ['upn', upn],
      ...aliases.map((alias, at): [string, string] => [`aliases.${at}`, alias]),
    ];
    for (const [field, value] of addresses) {
      if (value === undefined || value.includes('{n}') === isGenerated) continue;
      report(['mailboxes', index, field], isGenerated ? 'must contain {n}' : 'contains {n}, so generate is required');
    }
  }
}

function reportRepeatedAddresses({ mailboxes, recipients }: Tenant, report: Report): void {
  const seen = new Set<string>();
  const claim = (name: string, path: (string | number)[]) => {
    if (seen.has(name.toLowerCase())) report(path, `${name} occurs twice`);
    seen.add(name.toLowerCase());
  };
  for (const [list, entries] of Object.entries({ mailboxes, recipients })) {
    for (const [index, { address, aliases }] of entries.entries()) {
      claim(address, [list, index, 'address']);
      for (const [at, alias] of aliases.entries()) claim(alias, [list, index, 'aliases', at]);
    }
  }
}

function reportRepeatedPeople({ people = [] }: Tenant, report: Report): void {
  const seen = new Set<string>();
  for (const [index, { upn }] of people.entries()) {
    if (seen.has(upn.toLowerCase())) report(['people', index, 'upn'], `${upn} occurs twice`);
    seen.add(upn.toLowerCase());
  }
}
