import { z } from 'zod';
import { instant } from '../../../shared/edge/answers/response-fields.ts';
import { roles } from '../../../shared/kernel/actor.ts';

export const customerSchema = z
  .strictObject({
    id: z.string().meta({ example: 'cust_01k2m8qj4vabcdefghjkmnp' }),
    name: z.string(),
    mailboxSlots: z.int().meta({ description: 'Mailboxes that the plan allows.' }),
    slotsUsed: z.int(),
    createdAt: instant,
  })
  .meta({ id: 'Customer' });

export const meSchema = z
  .strictObject({
    customer: z.strictObject({ id: z.string(), name: z.string() }).nullable(),
    role: z.enum(roles),
    mailboxSlots: z.int().nullable(),
    slotsUsed: z.int().nullable(),
  })
  .meta({ id: 'Me', description: '`customer` is null for an operator that names none.' });

export const apiKeySchema = z
  .strictObject({
    id: z.string().meta({ example: 'key_01k2m8qj4vabcdefghjkmnp' }),
    name: z.string(),
    role: z.enum(roles),
    createdAt: instant,
    expiresAt: instant.nullable(),
    lastUsedAt: instant.nullable().meta({ description: 'The start of the hour in which the key was last used.' }),
    replacedBy: z.string().nullable().meta({ description: 'The ID of the key that a rotation has made in its place.' }),
  })
  .meta({ id: 'ApiKey' });

export const createdApiKeySchema = apiKeySchema
  .extend({ key: z.string().optional().meta({ description: 'The key. Absent when the answer is replayed.' }) })
  .meta({ id: 'CreatedApiKey' });

const partSchema = z.strictObject({ status: z.enum(['ok', 'unavailable']), lastRanAt: instant.optional() });

export const healthSchema = z.strictObject({ status: z.literal('ok') }).meta({ id: 'Health' });
export const readinessSchema = z
  .strictObject({
    status: z.enum(['ok', 'unavailable']),
    parts: z.strictObject({ storage: partSchema, vault: partSchema, scheduler: partSchema }).optional(),
  })
  .meta({ id: 'Readiness' });
