import { z } from 'zod';
import { isUsableCode, usableCodes } from './protocols/fault-codes.ts';

/**
 * The scenario file: made-up tenants, as `local.md` has them, and optional fields in the same spirit.
 * Every object is strict, so that a misspelt fault is named instead of being ignored.
 */
const address = z.string().regex(/^[^\s@]+@[^\s@]+$/, 'must be an e-mail address');

export const plainFaults = [
  'full',
  'moving',
  'sendDenied',
  'readWriteDenied',
  'slow',
  'flaky',
  'down',
  'noAnswer',
  'garbage',
  'lostDraft',
  'sendAccepted',
  /** What is sent is accepted and goes nowhere, as with a mail flow rule that deletes it. */
  'sendVanishes',
  'restBlocked',
  'emptyAnswer',
  'gatewayPage',
] as const;

export const callKinds = ['read', 'create', 'change', 'remove', 'send', 'settings'] as const;

/**
 * An error of `microsoft365.md` §2.2 by its code; what is not said here is looked up in the table of known errors. An
 * enhanced status code (`5.1.8`) strikes SMTP alone, `IMAP.notConnected`, `SMTP.down` and the like their protocol alone.
 */
const codeFault = z.strictObject({
  code: z.string().min(1).refine(isUsableCode, `must be a code of Graph's, ${usableCodes}`),
  status: z.number().int().min(400).max(599).optional(),
  message: z.string().optional(),
  /** Which calls it strikes. */
  on: z.array(z.enum(callKinds)).min(1).optional(),
  /** How often it strikes before the mailbox works. */
  times: z.number().int().min(1).optional(),
  retryAfterSeconds: z.number().min(0).optional(),
  /** At which step of SMTP it comes; each code has a usual one. */
  at: z.enum(['auth', 'mail', 'rcpt', 'data']).optional(),
});

const mailboxFault = z
  .union([
    z.enum(plainFaults),
    z
      .string()
      .regex(/^error:\S+$/, `must be one of ${plainFaults.join(', ')}, error:<Code> or {"code": …}`)
      .refine((fault) => isUsableCode(fault.slice('error:'.length)), `must name a code of Graph's, ${usableCodes}`),
    codeFault,
  ])
  .nullable();

const secret = z.strictObject({
  value: z.string().min(1),
  expiresAt: z.iso.datetime({ offset: true }).nullable().optional(),
  id: z.guid().optional(),
});

const certificate = z.strictObject({
  thumbprint: z.string().regex(/^[0-9a-fA-F]{40}([0-9a-fA-F]{24})?$/, 'must be a SHA-1 or SHA-256 thumbprint in hex'),
  publicKeyPem: z.string().includes('-----BEGIN'),
});

/** Members are addresses, globs such as `*@contoso.example`, or a group's address: its direct members, none nested. */
const rbacAssignment = z.strictObject({
  role: z.string().min(1),
  members: z.array(z.string().min(1)).optional(),
  except: z.array(z.string().min(1)).optional(),
});

const accessPolicy = z.strictObject({
  restrictTo: z.array(z.string().min(1)).optional(),
  deny: z.array(z.string().min(1)).optional(),
});

const app = z.strictObject({
  clientId: z.guid(),
  displayName: z.string().default('App'),
  secrets: z.array(secret).default([]),
  certificates: z.array(certificate).default([]),
  grants: z.array(z.string().min(1)).default([]),
  consent: z.enum(['granted', 'none', 'absent', 'required', 'declined']).default('granted'),
  rbac: z.array(rbacAssignment).default([]),
  accessPolicy: accessPolicy.nullable().default(null),
  tokenError: z
    .union([z.string().regex(/^((AADSTS)?\d+|throttled|down)$/, 'must be an AADSTS code, throttled or down'), z.int()])
    .nullable()
    .default(null),
  /** `false`: the enterprise application is switched off (AADSTS7000112). */
  enabled: z.boolean().default(true),
  /** `true`: Entra gives tokens, Graph does not know the caller (`Authorization_IdentityNotFound`). */
  identityMissing: z.boolean().default(false),
  /** `true`: Graph answers a token without roles with `NoPermissionsInAccessToken`. */
  refusesRolelessToken: z.boolean().default(false),
  /** Given: the consent page redirects nowhere else. */
  redirectUris: z.array(z.string().min(1)).optional(),
});

const mailbox = z.strictObject({
  generate: z.number().int().min(1).max(10_000_000).optional(),
  id: z.guid().optional(),
  address,
  upn: address.optional(),
  displayName: z.string().optional(),
  kind: z.enum(['user', 'shared', 'room', 'equipment']).default('user'),
  aliases: z.array(address).default([]),
  imap: z.boolean().default(true),
  /** `null` or absent: as the tenant has it. */
  smtpAuth: z.boolean().nullable().optional(),
  fullAccess: z.array(z.string().min(1)).default([]),
  fault: mailboxFault.default(null),
});

export const recipientKinds = [
  'group',
  'contact',
  'guest',
  'onPremises',
  'unlicensed',
  'disabled',
  'softDeleted',
  'inactive',
] as const;

const recipient = z.strictObject({
  address,
  kind: z.enum(recipientKinds),
  id: z.guid().optional(),
  upn: address.optional(),
  displayName: z.string().optional(),
  aliases: z.array(address).default([]),
  /** Of a group: addresses of mailboxes or of further groups. */
  members: z.array(z.string().min(1)).default([]),
  groupType: z.enum(['distribution', 'security', 'microsoft365']).default('distribution'),
  /** What Exchange answers instead of the usual, such as `ResourceNotFound`. */
  code: z.string().min(1).optional(),
});

const propagation = z.strictObject({ seconds: z.number().min(0), extendsWhenAsked: z.boolean().default(false) });

const throttle = z.strictObject({
  perMailboxConcurrent: z.number().int().min(1).optional(),
  perAppPerTenantPer10s: z.number().int().min(0).optional(),
  retryAfterSeconds: z.number().min(0).default(10),
  omitRetryAfter: z.boolean().default(false),
  /** How `Retry-After` is written; HTTP allows all of them and proxies are known to double it. */
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

const organization = z.union([
  z.array(verifiedDomain),
  z.strictObject({
    displayName: z.string().optional(),
    countryLetterCode: z.string().optional(),
    verifiedDomains: z.array(verifiedDomain).optional(),
  }),
]);

export const tenantSchema = z
  .strictObject({
    id: z.guid(),
    name: z.string().min(1),
    domains: z.array(z.string().regex(/^[^\s@/]+\.[^\s@/]+$/, 'must be a domain')).min(1),
    apps: z.array(app).default([]),
    mailboxes: z.array(mailbox).default([]),
    recipients: z.array(recipient).default([]),
    propagation: propagation.nullable().default(null),
    throttle: throttle.nullable().default(null),
    smtpAuthDisabled: z.boolean().default(false),
    /** How SMTP refuses a password: switched off, kept away by security defaults, or no longer there at all. */
    basicAuth: z.enum(['disabled', 'securityDefaults', 'retired']).optional(),
    /** SMTP takes nothing from any mailbox: over the tenant's threshold, or from an unregistered domain. */
    sendingBlocked: z.enum(['5.7.705', '5.7.750']).optional(),
    grantsFreshSeconds: z.number().min(0).nullable().optional(),
    organization: organization.nullable().optional(),
    tokenSeconds: z.int().min(1).default(3599),
    /** A share of all Graph calls goes wrong, by a seeded generator. */
    faultRates: faultRates.nullable().default(null),
    /** Marked for removal: `ErrorOrganizationAccessBlocked`. */
    organizationBlocked: z.boolean().default(false),
    /** Resources that have no principal here, such as `https://outlook.office365.com` (AADSTS500011). */
    missingResources: z.array(z.string().min(1)).default([]),
    /** A refused `sendMail` leaves the message that it first saved in Drafts. */
    sendLeavesDraft: z.boolean().default(false),
    /**
     * A `POST`, `PATCH` or `PUT` in a batch that has no body or no Content-Type refuses the whole batch with 400, as was
     * recorded of Graph (msgraph-sdk-dotnet issue 2628).
     */
    refusesBodilessParts: z.boolean().default(true),
  })
  .superRefine((tenant, context) => {
    const clientIds = new Set<string>();
    for (const [index, { clientId }] of tenant.apps.entries()) {
      if (clientIds.has(clientId.toLowerCase())) fault(context, ['apps', index, 'clientId'], 'is there twice');
      clientIds.add(clientId.toLowerCase());
    }
    const taken = new Set<string>();
    const claim = (name: string, path: (string | number)[]) => {
      if (taken.has(name.toLowerCase())) fault(context, path, `${name} is there twice`);
      taken.add(name.toLowerCase());
    };
    for (const [index, entry] of tenant.mailboxes.entries()) {
      const generated = entry.generate !== undefined;
      if (generated && entry.id) fault(context, ['mailboxes', index, 'id'], 'cannot go with generate');
      for (const [field, value] of [
        ['address', entry.address],
        ['upn', entry.upn],
        ...entry.aliases.map((alias, at) => [`aliases.${at}`, alias] as const),
      ] as const) {
        if (value === undefined) continue;
        if (value.includes('{n}') !== generated) {
          fault(
            context,
            ['mailboxes', index, field],
            generated ? 'must hold {n}' : 'holds {n} and needs generate: how many',
          );
        }
      }
      claim(entry.address, ['mailboxes', index, 'address']);
      for (const [at, alias] of entry.aliases.entries()) claim(alias, ['mailboxes', index, 'aliases', at]);
    }
    for (const [index, { address, aliases }] of tenant.recipients.entries()) {
      claim(address, ['recipients', index, 'address']);
      for (const [at, alias] of aliases.entries()) claim(alias, ['recipients', index, 'aliases', at]);
    }
  });

export const scenarioSchema = z
  .strictObject({ latencyMs: z.number().min(0).default(0), tenants: z.array(tenantSchema) })
  .superRefine((scenario, context) => {
    const seen = new Set<string>();
    for (const [index, tenant] of scenario.tenants.entries()) {
      for (const name of [tenant.id, ...tenant.domains]) {
        if (seen.has(name.toLowerCase())) fault(context, ['tenants', index], `${name} belongs to two tenants`);
        seen.add(name.toLowerCase());
      }
    }
  });

function fault(context: z.core.$RefinementCtx, path: (string | number)[], message: string): void {
  context.addIssue({ code: 'custom', path, message });
}

export type ScenarioTenant = z.infer<typeof tenantSchema>;
export type Scenario = z.infer<typeof scenarioSchema>;
/** A scenario as one writes it: what has a default may be left out. */
export type ScenarioInput = z.input<typeof scenarioSchema>;
export type ScenarioTenantInput = z.input<typeof tenantSchema>;
export type ScenarioApp = ScenarioTenant['apps'][number];
export type ScenarioMailbox = ScenarioTenant['mailboxes'][number];
export type ScenarioRecipient = ScenarioTenant['recipients'][number];
export type MailboxFault = ScenarioMailbox['fault'];
export type CallKind = (typeof callKinds)[number];

/** Names every fault of a scenario or tenant at once, one per line, each with its path. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
  readonly faults: readonly string[];

  constructor(what: string, faults: readonly string[]) {
    super(`${what} cannot be used; mend these:\n${faults.map((line) => `  ${line}`).join('\n')}`);
    this.faults = faults;
  }
}

/**
 * Reads a scenario file's text, or the value already parsed.
 *
 * @throws ScenarioError naming all faults at once
 */
export function parseScenario(json: unknown): Scenario {
  return parsed('The scenario', scenarioSchema, typeof json === 'string' ? readJson(json) : json);
}

/** @throws ScenarioError naming all faults at once */
export function parseTenant(json: unknown): ScenarioTenant {
  return parsed('The tenant', tenantSchema, json);
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new ScenarioError('The scenario', [`not JSON: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function parsed<T>(what: string, schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ScenarioError(
    what,
    result.error.issues.map((issue) => `${issue.path.map(String).join('.') || '(top)'}: ${issue.message}`),
  );
}
