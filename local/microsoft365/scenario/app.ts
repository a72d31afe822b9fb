import { z } from 'zod';

const secret = z.strictObject({
  value: z.string().min(1),
  expiresAt: z.iso.datetime({ offset: true }).nullable().optional(),
  /** Only shown: a secret works before it. */
  startsAt: z.iso.datetime({ offset: true }).optional(),
  id: z.guid().optional(),
  name: z.string().min(1).optional(),
  /** `null`: as of a secret that an old tool has made. */
  hint: z.string().length(3).nullable().optional(),
});

const certificate = z.strictObject({
  thumbprint: z.string().regex(/^[0-9a-fA-F]{40}([0-9a-fA-F]{24})?$/, 'must be a SHA-1 or SHA-256 thumbprint in hex'),
  publicKeyPem: z.string().includes('-----BEGIN'),
  id: z.guid().optional(),
  name: z.string().min(1).optional(),
  startsAt: z.iso.datetime({ offset: true }).optional(),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
});

/**
 * A role of RBAC for Applications. Members are addresses, globs such as `*@contoso.example`, or the address of a group.
 * A group stands for its direct members only: nested groups do not count.
 */
const rbacAssignment = z.strictObject({
  role: z.string().min(1),
  members: z.array(z.string().min(1)).optional(),
  except: z.array(z.string().min(1)).optional(),
});

/** An application access policy. It names mailboxes as an RBAC assignment does. */
const accessPolicy = z.strictObject({
  restrictTo: z.array(z.string().min(1)).optional(),
  deny: z.array(z.string().min(1)).optional(),
});

const consents = ['granted', 'none', 'absent', 'required', 'declined'] as const;

export const appSchema = z.strictObject({
  clientId: z.guid(),
  displayName: z.string().default('App'),
  secrets: z.array(secret).default([]),
  certificates: z.array(certificate).default([]),
  grants: z.array(z.string().min(1)).default([]),
  consent: z.enum(consents).default('granted'),
  rbac: z.array(rbacAssignment).default([]),
  accessPolicy: accessPolicy.nullable().default(null),
  /** Every token request of the app gets this error. */
  tokenError: z
    .union([
      z
        .string()
        .regex(/^((AADSTS)?\d+|throttled|down|noAnswer)$/, 'must be an AADSTS code, throttled, down or noAnswer'),
      z.int(),
    ])
    .nullable()
    .default(null),
  /** The admin who accepts on the consent page comes back with this AADSTS code. */
  consentError: z
    .string()
    .regex(/^AADSTS\d+$/, 'must be an AADSTS code')
    .nullable()
    .default(null),
  /** `false`: the enterprise application is disabled (AADSTS7000112). */
  enabled: z.boolean().default(true),
  /** The app owns its registration, and can read it with Application.ReadWrite.OwnedBy. */
  ownsRegistration: z.boolean().default(false),
  /** The app is registered in another tenant, so this one does not have its registration. */
  registeredElsewhere: z.boolean().default(false),
  /** `true`: Entra issues tokens, but Graph does not know the caller (`Authorization_IdentityNotFound`). */
  identityMissing: z.boolean().default(false),
  /** `true`: Graph refuses a token without roles with `NoPermissionsInAccessToken`. */
  refusesRolelessToken: z.boolean().default(false),
  /** If given, the consent page and the sign-in page redirect to these addresses only. */
  redirectUris: z.array(z.string().min(1)).optional(),
  /**
   * The app has a federated credential for the identity of the deployment (`home`): a token of that identity is
   * accepted as its client assertion.
   */
  trustsDeployment: z.boolean().default(false),
  /** ID tokens have the claim `wids`: the registration's `groupMembershipClaims` includes directory roles. */
  emitsRoles: z.boolean().default(true),
});
