import { z } from 'zod';
import { probes } from '../../../shared/causes/verdict.ts';
import { instant } from '../../../shared/edge/answers/response-fields.ts';
import { mailboxWaitReasons } from '../../../shared/imports/progress/mailbox-wait.ts';
import { identifiers } from '../../../shared/mailboxes/identity.ts';
import { mailboxKinds, mailboxStatuses } from '../../../shared/mailboxes/mailbox.ts';
import { HISTORY_MAX } from '../../../shared/mailboxes/verdict-history.ts';
import { mailboxScopeSchema } from '../connections/scope-schemas.ts';
import { causeSchema, probeFindingSchema } from '../finding-schemas.ts';

const waitSchema = z
  .strictObject({
    reason: z.enum(mailboxWaitReasons),
    message: z.string().meta({ description: 'The same in words.' }),
    until: instant
      .nullable()
      .meta({ description: 'When it is asked next, at the earliest. `null` if no time is known.' }),
  })
  .meta({ id: 'MailboxWait' });

const mailboxFields = {
  address: z.string().meta({ example: 'jane@contoso.com' }),
  displayName: z.string().optional(),
  dailyLimit: z.int().optional(),
  reference: z.string().optional().meta({ description: 'Your own ID of the mailbox.' }),
  kind: z.enum(mailboxKinds),
  identifiedBy: z.enum(identifiers).meta({
    description:
      'What tells this mailbox from others, whatever name it is imported under: `objectId`, its user in the directory; `inbox`, its inbox in Exchange; `address`, nothing but the address, because the app may read neither, or because it was never checked. Another name of a mailbox that only its address identifies takes a slot of its own.',
  }),
  objectId: z
    .string()
    .optional()
    .meta({ description: 'The object ID of its user. Present if the app may read users.' }),
  primaryAddress: z.string().optional().meta({
    description: 'Differs from `address` if that is another of its names. Present if the app may read users.',
  }),
  signInName: z
    .string()
    .optional()
    .meta({ description: 'The user principal name. Present if the app may read users.' }),
  replacedAt: instant
    .optional()
    .meta({ description: 'When a check found that the address belongs to another mailbox than before.' }),
  status: z.enum(mailboxStatuses),
  checks: z.partialRecord(z.enum(probes), probeFindingSchema),
  scope: mailboxScopeSchema,
  nextCheckAt: instant.nullable().meta({
    description:
      'When it is asked next, at the earliest. For a mailbox that nobody checks at the moment: when it is due to be checked again by itself. `null` if it is not, for example while it is paused.',
  }),
  waitingFor: waitSchema.nullable().meta({
    description:
      'Why the check of the mailbox does not go on at the moment, or why it is not checked again although it is due. `slot_needed`: it has failed, and takes a free slot while it is checked. `null` if nothing holds it up.',
  }),
  importId: z.string().meta({ description: 'The import that last contained the mailbox.' }),
  actionId: z.string().optional().meta({ description: 'The action that has checked it since.' }),
  createdAt: instant,
};

export const mailboxSchema = z
  .strictObject(mailboxFields)
  .meta({ id: 'Mailbox', description: 'A mailbox of a connection, with its latest findings.' });

const verdictChangeSchema = z
  .strictObject({
    changedAt: instant,
    verdict: z.enum(['passed', 'failed', 'inconclusive']),
    cause: causeSchema.optional(),
  })
  .meta({ id: 'VerdictChange', description: 'What the verdict changed to, and when.' });

export const mailboxWithHistorySchema = z
  .strictObject({
    ...mailboxFields,
    history: z
      .array(verdictChangeSchema)
      .max(HISTORY_MAX)
      .meta({ description: `The last ${HISTORY_MAX} changes of its verdict or of the cause, newest first.` }),
  })
  .meta({ id: 'MailboxWithHistory', description: 'A mailbox, and how its verdict has changed.' });
