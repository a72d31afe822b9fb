import { z } from 'zod';
import { settledStates } from '../../../shared/imports/ledger/row.ts';
import { causeSchema } from '../finding-schemas.ts';
import { importSchema } from './import-schemas.ts';

const id = z.string().meta({ description: 'Send the newest one as `Last-Event-ID` to go on after it.' });

export const settledMailboxesSchema = z
  .strictObject({
    mailboxes: z.array(
      z.strictObject({
        line: z.int(),
        address: z.string(),
        state: z.enum(settledStates),
        cause: causeSchema.optional(),
      }),
    ),
  })
  .meta({ id: 'SettledMailboxes', description: 'Mailboxes of an import that have been settled since the last event.' });

export const importEventSchema = z
  .discriminatedUnion('event', [
    z.strictObject({ event: z.literal('progress'), id, data: importSchema }),
    z.strictObject({ event: z.literal('mailbox'), id, data: settledMailboxesSchema }),
    z.strictObject({ event: z.literal('done'), id, data: importSchema }),
  ])
  .meta({ id: 'ImportEvent', description: 'One server-sent event: the fields `event`, `id`, and `data` as JSON.' });
