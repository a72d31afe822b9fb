import { z } from 'zod';
import { isUsableCode, usableCodes } from '../protocols/fault-codes.ts';

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
  /** Graph accepts the message and nobody receives it, as with a mail flow rule that deletes it. */
  'sendVanishes',
  'restBlocked',
  'emptyAnswer',
  'gatewayPage',
] as const;

export const callKinds = ['read', 'create', 'change', 'remove', 'send', 'settings'] as const;

/**
 * An error by its code. The table of known errors supplies the fields that are missing here.
 * An enhanced status code (`5.1.8`) affects SMTP only. `IMAP.notConnected`, `SMTP.down` and the like affect their
 * protocol only. Every other code affects Graph only.
 */
const codeFault = z.strictObject({
  code: z.string().min(1).refine(isUsableCode, `must be a Graph error code, ${usableCodes}`),
  status: z.number().int().min(400).max(599).optional(),
  message: z.string().optional(),
  /** The kinds of call that fail. */
  on: z.array(z.enum(callKinds)).min(1).optional(),
  /** How often a call fails before the mailbox works. */
  times: z.number().int().min(1).optional(),
  retryAfterSeconds: z.number().min(0).optional(),
  /** The SMTP step that fails. Each code has a default. */
  at: z.enum(['auth', 'mail', 'rcpt', 'data']).optional(),
});

const mailboxFault = z
  .union([
    z.enum(plainFaults),
    z
      .string()
      .regex(/^error:\S+$/, `must be one of ${plainFaults.join(', ')}, error:<Code> or {"code": …}`)
      .refine((fault) => isUsableCode(fault.slice('error:'.length)), `must name a Graph error code, ${usableCodes}`),
    codeFault,
  ])
  .nullable();

const mailboxKinds = ['user', 'shared', 'room', 'equipment'] as const;

export const mailboxSchema = z.strictObject({
  /** Makes this many mailboxes. `{n}` in the addresses and the name becomes 1, 2, 3 and so on. */
  generate: z.number().int().min(1).max(10_000_000).optional(),
  id: z.guid().optional(),
  address,
  upn: address.optional(),
  displayName: z.string().optional(),
  kind: z.enum(mailboxKinds).default('user'),
  aliases: z.array(address).default([]),
  imap: z.boolean().default(true),
  /** `null` or absent: the tenant's `smtpAuthDisabled` decides. */
  smtpAuth: z.boolean().nullable().optional(),
  /** Client ids or service principals' object ids that have FullAccess. IMAP and SMTP ask for it. */
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

/** An address of the tenant that has no working mailbox. */
export const recipientSchema = z.strictObject({
  address,
  kind: z.enum(recipientKinds),
  id: z.guid().optional(),
  upn: address.optional(),
  displayName: z.string().optional(),
  aliases: z.array(address).default([]),
  /** Of a group: the addresses of mailboxes or of other groups. */
  members: z.array(z.string().min(1)).default([]),
  groupType: z.enum(['distribution', 'security', 'microsoft365']).default('distribution'),
  /** The code that Graph answers instead of the usual one for this kind, such as `ResourceNotFound`. */
  code: z.string().min(1).optional(),
});
