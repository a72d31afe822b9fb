import { z } from 'zod';
import { probes } from '../../shared/causes/verdict.ts';
import { instant } from '../../shared/edge/response-fields.ts';
import { mailboxKinds, mailboxStatuses } from '../../shared/mailboxes/mailbox.ts';
import { probeFindingSchema } from './finding-schemas.ts';
import { mailboxScopeSchema } from './scope-schemas.ts';

export const mailboxSchema = z
  .strictObject({
    address: z.string().meta({ example: 'jane@contoso.com' }),
    displayName: z.string().optional(),
    dailyLimit: z.int().optional(),
    reference: z.string().optional().meta({ description: 'Your own ID of the mailbox.' }),
    kind: z.enum(mailboxKinds),
    status: z.enum(mailboxStatuses),
    checks: z.partialRecord(z.enum(probes), probeFindingSchema),
    scope: mailboxScopeSchema,
    nextCheckAt: instant.nullable(),
    importId: z.string().meta({ description: 'The import that last contained the mailbox.' }),
    actionId: z.string().optional().meta({ description: 'The action that has checked it since.' }),
    createdAt: instant,
  })
  .meta({ id: 'Mailbox', description: 'A mailbox of a connection, with its latest findings.' });
