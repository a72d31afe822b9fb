import { z } from 'zod';
import { causeCodes } from '../../../shared/causes/causes.ts';
import { instant } from '../../../shared/edge/answers/response-fields.ts';
import { addressField } from '../../../shared/edge/requests/fields.ts';
import { skipCodes } from '../../../shared/imports/actions/decide-action.ts';
import { actionStarters, importStatuses } from '../../../shared/imports/import.ts';
import { mailboxStatuses } from '../../../shared/mailboxes/mailbox.ts';
import { mailboxActions } from '../../../shared/mailboxes/mailbox-action.ts';
import { causeSchema } from '../finding-schemas.ts';
import { importFindingSchema, waitSchema } from '../imports/import-schemas.ts';

const ADDRESSES_MAX = 1_000;

const filterSchema = z
  .strictObject({
    status: z.array(z.enum(mailboxStatuses)).min(1).max(mailboxStatuses.length).optional(),
    cause: z
      .array(causeSchema)
      .min(1)
      .max(causeCodes.length)
      .optional()
      .meta({ description: 'Mailboxes whose checks did not pass for one of these causes.' }),
    importId: z.string().optional().meta({ description: 'Mailboxes that this import last contained.' }),
  })
  .meta({ description: 'Which mailboxes. Those that match every field; with no field, all of the connection.' });

/** The body that starts an action. */
export const startActionSchema = z
  .strictObject({
    action: z.enum(mailboxActions),
    addresses: z.array(addressField).min(1).max(ADDRESSES_MAX).optional(),
    where: filterSchema.optional(),
  })
  .refine(({ addresses, where }) => (addresses === undefined) !== (where === undefined), {
    path: ['where'],
    message: 'Send either `addresses` or `where`.',
  });

const count = z.int().min(0);

export const actionSchema = z
  .strictObject({
    id: z.string().meta({ example: 'act_01k2m8qj4vabcdefghjkmnp' }),
    connectionId: z.string(),
    action: z.enum(mailboxActions),
    startedBy: z.enum(actionStarters).meta({
      description:
        '`customer`: with one of your API keys. `schedule`: by Muster, because the mailboxes were due to be checked again. Such a check lets imports of the same tenant go first.',
    }),
    status: z.enum(importStatuses),
    counts: z
      .strictObject({
        mailboxes: count,
        skipped: count.meta({ description: 'Left out. `skipped` says why.' }),
        pending: count,
        waiting: count,
        done: count.meta({ description: 'Of a check: those with a verdict.' }),
        cancelled: count,
        passed: count,
        failed: count,
        inconclusive: count,
      })
      .meta({ description: '`mailboxes` is always the sum of the next five. The last three are verdicts.' }),
    skipped: z
      .partialRecord(z.enum(skipCodes), count)
      .meta({ description: 'Why mailboxes were left out. Codes that no mailbox has are left out.' }),
    percent: z.number().meta({ description: '100 only at the end.' }),
    secondsLeft: z.int().nullable(),
    createdAt: instant,
    startedAt: instant.nullable(),
    finishedAt: instant.nullable(),
    rowsExpireAt: instant.nullable().meta({ description: 'When the rows are deleted. The counts stay.' }),
    finding: importFindingSchema.nullable(),
    waitingFor: waitSchema.nullable(),
  })
  .meta({
    id: 'MailboxAction',
    description: 'An action on mailboxes of a connection, and its progress.',
  });

/** The states in which a mailbox is left by an action. */
const doneStates = ['done', 'passed', 'failed', 'inconclusive', 'cancelled'] as const;

export const actionRowStates = ['skipped', 'pending', 'waiting', ...doneStates] as const;

export const actionRowSchema = z
  .strictObject({
    address: z.string(),
    state: z.enum(actionRowStates),
    code: z.enum(skipCodes).optional().meta({ description: 'Why the mailbox was left out.' }),
    message: z.string().optional().meta({ description: 'The same in words.' }),
    cause: causeSchema.optional(),
    requestId: z.string().optional(),
    nextCheckAt: instant.optional(),
    reference: z.string().optional(),
  })
  .meta({ id: 'MailboxActionRow', description: 'One mailbox of an action, and what became of it.' });

const eventId = z.string().meta({ description: 'Send the newest one as `Last-Event-ID` to go on after it.' });

export const doneMailboxesSchema = z
  .strictObject({
    mailboxes: z.array(
      z.strictObject({
        address: z.string(),
        state: z.enum(doneStates),
        cause: causeSchema.optional(),
      }),
    ),
  })
  .meta({ id: 'DoneMailboxes', description: 'Mailboxes that an action is done with since the last event.' });

/** One server-sent event of an action. */
export const actionEventSchema = z
  .discriminatedUnion('event', [
    z.strictObject({ event: z.literal('progress'), id: eventId, data: actionSchema }),
    z.strictObject({ event: z.literal('mailbox'), id: eventId, data: doneMailboxesSchema }),
    z.strictObject({ event: z.literal('done'), id: eventId, data: actionSchema }),
  ])
  .meta({
    id: 'MailboxActionEvent',
    description: 'One server-sent event: the fields `event`, `id`, and `data` as JSON.',
  });
