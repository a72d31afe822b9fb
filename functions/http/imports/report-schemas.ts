import { z } from 'zod';
import { probes } from '../../../shared/causes/verdict.ts';
import { instant } from '../../../shared/edge/answers/response-fields.ts';
import { rowStates } from '../../../shared/imports/ledger/row.ts';
import { causeSchema, explanation, microsoftIds, verdictSchema } from '../finding-schemas.ts';

export const reportRowSchema = z
  .strictObject({
    line: z.int(),
    address: z.string(),
    state: z.enum(rowStates),
    mailbox: z.string().optional().meta({ description: 'The address of the mailbox that the row became.' }),
    verdicts: z.partialRecord(z.enum(probes), verdictSchema).meta({ description: 'The verdict of each probe.' }),
    cause: causeSchema.optional(),
    code: z.string().optional().meta({ description: 'Why the row was rejected or is a duplicate.' }),
    detail: explanation.detail.optional(),
    fix: explanation.fix.optional(),
    link: explanation.link.optional(),
    ...microsoftIds,
    checkedAt: instant.optional(),
    nextCheckAt: instant.optional(),
    displayName: z.string().optional(),
    dailyLimit: z
      .union([z.int(), z.string()])
      .optional()
      .meta({ description: 'Of a rejected row: the text that you sent, whatever it is.' }),
    reference: z.string().optional(),
  })
  .meta({ id: 'ReportRow', description: 'One line of an import with its result and how to fix it.' });
