import { z } from 'zod';
import { causeCodes } from '../causes/causes.ts';
import { credentialKinds } from '../connections/credentials/credential.ts';
import { EVENT_VERSION, type WebhookType } from './event-types.ts';

const instant = z.iso.datetime();
const cause = z
  .string()
  .meta({ description: 'A cause, or a code of an import as a whole.', examples: [causeCodes[0]] });

const explanation = {
  detail: z.string().meta({ description: 'What is wrong.' }),
  fix: z.string().optional().meta({ description: 'How to fix it.' }),
  link: z.string().optional().meta({ description: 'A page about it.' }),
};

const finding = z
  .strictObject({
    cause,
    ...explanation,
    microsoftCode: z.string().optional(),
    requestId: z.string().optional(),
    seenAt: instant,
  })
  .meta({ id: 'EventFinding', description: 'What is wrong with a connection or an import.' });

const connection = {
  connectionId: z.string().meta({ example: 'conn_01k2m8qj4vabcdefghjkmnp' }),
  name: z.string().meta({ description: 'The name of the connection.' }),
  tenantId: z.string(),
};

const count = z.int().min(0);
const importEvent = {
  importId: z.string().meta({ example: 'imp_01k2m8qj4vabcdefghjkmnp' }),
  connectionId: z.string(),
  finding: finding.nullable(),
};

const mailbox = z.strictObject({
  address: z.string().meta({ example: 'jane@contoso.com' }),
  line: z.int().meta({ description: 'The line of the import.' }),
  reference: z.string().optional().meta({ description: 'Your own ID of the mailbox.' }),
});
const mailboxEvent = { importId: importEvent.importId, connectionId: z.string() };

const secretEvent = {
  credential: z.enum(credentialKinds).meta({ description: 'What expires.' }),
  expiresAt: instant,
  daysLeft: z.int().meta({ description: 'Whole days, rounded down. Negative after the expiry.' }),
  enteredExpiresAt: instant
    .optional()
    .meta({ description: 'What was entered, if Microsoft Entra shows another date. The one of Entra counts.' }),
  newerSecret: z
    .strictObject({
      secretId: z.string(),
      name: z.string().optional(),
      hint: z.string().optional(),
      expiresAt: instant,
    })
    .optional()
    .meta({ description: 'A newer secret of the app in Microsoft Entra. Its Value can replace this one.' }),
  newerCertificate: z
    .strictObject({
      certificateId: z.string(),
      name: z.string().optional(),
      thumbprint: z.string().optional(),
      expiresAt: instant,
      isNext: z.boolean().meta({ description: 'It is the next certificate of the connection: put it into use.' }),
    })
    .optional()
    .meta({ description: 'A newer certificate of the app in Microsoft Entra.' }),
  consequence: z.string().meta({ description: 'What stops working.' }),
  steps: z
    .array(z.strictObject({ text: z.string(), link: z.string().optional() }))
    .meta({ description: 'What to do, in this order.' }),
};

/** The `data` of each event, in version 1. */
export const eventData = {
  'connection.consented': z.strictObject(connection),
  'connection.failing': z.strictObject({ ...connection, finding }),
  'import.completed': z.strictObject({
    ...importEvent,
    status: z.enum(['completed', 'cancelled', 'failed']).meta({ description: 'How the import has ended.' }),
    counts: z.strictObject({
      rows: count,
      accepted: count,
      rejected: count,
      duplicates: count,
      passed: count,
      failed: count,
      inconclusive: count,
      cancelled: count,
    }),
    createdAt: instant,
    finishedAt: instant,
  }),
  'import.paused': z.strictObject({ ...importEvent, pausedAt: instant }),
  'mailbox.activated': z.strictObject({ ...mailboxEvent, mailboxes: z.array(mailbox).min(1) }),
  'mailbox.failed': z.strictObject({
    ...mailboxEvent,
    mailboxes: z.array(mailbox.extend({ cause: cause.optional() })).min(1),
    causes: z
      .record(z.string(), z.strictObject(explanation))
      .meta({ description: 'Explains each cause in `mailboxes`.' }),
  }),
  'secret.expiring': z.strictObject({
    ...connection,
    ...secretEvent,
    threshold: z
      .union([z.strictObject({ daysBefore: z.number() }), z.strictObject({ lifetimeLeft: z.number() })])
      .meta({ description: 'The threshold that it has reached: days, or percent of its lifetime.' }),
  }),
  'secret.expired': z.strictObject({ ...connection, ...secretEvent }),
  'secret.checked': z.strictObject({ ...connection, ...secretEvent }),
  'webhook.ping': z.strictObject({ webhookId: z.string(), url: z.string() }),
} as const satisfies Record<WebhookType, z.ZodType>;

export type EventData = { [Type in keyof typeof eventData]: z.infer<(typeof eventData)[Type]> };

/** What each event tells, in one sentence. */
export const eventTexts: Record<keyof typeof eventData, string> = {
  'connection.consented': 'An admin of the tenant has granted the app its permissions.',
  'connection.failing':
    'Microsoft refuses the connection as a whole, for example because its client secret or certificate has expired.',
  'import.completed': 'An import has ended. `status` says how.',
  'import.paused': 'An import has paused, by itself with a `finding`, or because somebody has paused it.',
  'mailbox.activated':
    'Mailboxes of an import have passed every check, or mailboxes that had not passed work when they are checked again. Sent after the import or the check has ended, up to 100 mailboxes in one event.',
  'mailbox.failed':
    'Mailboxes of an import have failed, or mailboxes in use have failed when they were checked again, and why. Sent after the import or the check has ended, up to 100 mailboxes in one event.',
  'secret.expiring': 'A client secret or a certificate will expire. Sent once for each threshold of the customer.',
  'secret.expired':
    'A client secret or a certificate has expired. Sent once, also if notices were snoozed or acknowledged.',
  'secret.checked':
    'Microsoft Entra shows another expiry than was entered, or a newer client secret or certificate. Sent once for each finding.',
  'webhook.ping': 'The answer to `POST /v1/webhooks/{webhookId}/ping`.',
};

/** The whole body of an event. */
export function eventSchema(type: keyof typeof eventData) {
  const { id: _component, ...meta } = { id: `Event_${type.replace('.', '_')}`, description: eventTexts[type] };
  return z
    .strictObject({
      id: z.string().meta({ description: 'The same as `webhook-id`.', example: 'evt_01k2m8qj4vabcdefghjkmnp' }),
      type: z.literal(type),
      version: z.literal(EVENT_VERSION).meta({ description: 'The version of this schema.' }),
      timestamp: instant.meta({ description: 'When it has happened, RFC 3339 in UTC.' }),
      data: eventData[type],
    })
    .meta(meta);
}
