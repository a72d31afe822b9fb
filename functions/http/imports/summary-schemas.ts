import { z } from 'zod';
import { importStatuses } from '../../../shared/imports/import.ts';
import { rowFindingCodes, rowFindingResults } from '../../../shared/imports/upload/row-findings.ts';
import { causeSchema, explanation } from '../finding-schemas.ts';
import { countsSchema, importFindingSchema } from './import-schemas.ts';

const causeGroupSchema = z
  .strictObject({
    cause: causeSchema,
    mailboxes: z.int().min(1).meta({ description: 'How many mailboxes failed or are inconclusive with this cause.' }),
    concerns: z
      .enum(['connection', 'mailbox'])
      .meta({ description: 'Whether the cause affects everything that uses the connection.' }),
    whoCanFix: z.enum(['admin', 'mailboxOwner', 'us', 'time']),
    ...explanation,
    examples: z.array(z.string()).meta({ description: 'Up to five addresses.' }),
  })
  .meta({ id: 'CauseGroup', description: 'The mailboxes of an import with one cause.' });

const findingGroupSchema = z
  .strictObject({
    code: z.enum(rowFindingCodes),
    rows: z.int().min(1),
    result: z.enum(rowFindingResults).meta({ description: 'What became of these rows.' }),
    detail: explanation.detail,
    fix: explanation.fix,
    examples: z
      .array(z.strictObject({ line: z.int(), address: z.string().optional() }))
      .meta({ description: 'Up to five rows. Long addresses are cut.' }),
  })
  .meta({ id: 'FindingGroup', description: 'The rows of an import with one finding.' });

export const summarySchema = z
  .strictObject({
    importId: z.string(),
    connectionId: z.string(),
    status: z.enum(importStatuses),
    counts: countsSchema,
    finding: importFindingSchema.nullable(),
    causes: z.array(causeGroupSchema).meta({ description: 'What to fix, in the order in which to fix it.' }),
    findings: z.array(findingGroupSchema).meta({ description: 'What to correct in the file.' }),
  })
  .meta({ id: 'ImportSummary', description: 'What is left to do after an import.' });
