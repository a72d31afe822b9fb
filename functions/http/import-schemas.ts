import { z } from 'zod';
import { causeCodes } from '../../shared/causes/causes.ts';
import { instant } from '../../shared/edge/response-fields.ts';
import { importStatuses } from '../../shared/imports/import.ts';
import { rowStates } from '../../shared/imports/ledger/row.ts';
import { rowFindingCodes } from '../../shared/imports/upload/row-findings.ts';
import { causeSchema, microsoftIds } from './finding-schemas.ts';

const count = z.int().min(0);

const countsSchema = z
  .strictObject({
    rows: count,
    accepted: count,
    rejected: count,
    duplicates: count,
    pending: count,
    waiting: count,
    passed: count,
    failed: count,
    inconclusive: count,
    cancelled: count,
  })
  .meta({ id: 'Counts', description: '`accepted` is always the sum of the last six.' });

const importFindingSchema = z
  .strictObject({
    cause: z.string().meta({ description: 'A cause, or a code of an import as a whole.', example: 'secret_expired' }),
    detail: z.string(),
    fix: z.string().optional(),
    link: z.string().optional(),
    ...microsoftIds,
    seenAt: instant,
  })
  .meta({ id: 'ImportFinding', description: 'Why the import paused or failed.' });

export const importSchema = z
  .strictObject({
    id: z.string().meta({ example: 'imp_01k2m8qj4vabcdefghjkmnp' }),
    connectionId: z.string(),
    status: z.enum(importStatuses),
    counts: countsSchema,
    percent: z.number().min(0).max(100).meta({ description: 'Share of the accepted rows that are settled.' }),
    createdAt: instant,
    startedAt: instant.nullable(),
    finishedAt: instant.nullable(),
    finding: importFindingSchema.nullable(),
    retryOf: z.string().optional().meta({ description: 'The import whose failed rows this one checks again.' }),
  })
  .meta({ id: 'Import' });

/** The body of `retry-failed`, which may be left out. */
export const retrySchema = z
  .strictObject({
    causes: z
      .array(causeSchema)
      .min(1)
      .max(causeCodes.length)
      .optional()
      .meta({ description: 'Retries only rows with one of these causes.' }),
  })
  .optional();

export const rowSchema = z
  .strictObject({
    line: z.int(),
    address: z.string(),
    state: z.enum(rowStates),
    mailbox: z.string().optional().meta({ description: 'The address of the mailbox that the row became.' }),
    code: z.string().optional().meta({ description: 'Why the row was rejected or is a duplicate.' }),
    message: z.string().optional().meta({ description: 'The same in words.' }),
    cause: causeSchema.optional(),
    requestId: z.string().optional(),
    nextCheckAt: instant.optional(),
    reference: z.string().optional(),
  })
  .meta({ id: 'Row', description: 'One line of an import and its result.' });

const sampleRowSchema = z.strictObject({
  line: z.int(),
  address: z.string(),
  displayName: z.string().optional(),
  dailyLimit: z.int().optional(),
  reference: z.string().optional(),
});

const columnsSchema = z.strictObject({
  used: z.partialRecord(z.enum(['address', 'displayName', 'dailyLimit', 'reference']), z.string()),
  ignored: z.array(z.string()),
  delimiter: z.string().optional(),
  encoding: z.string().optional(),
});

export const previewSchema = z
  .strictObject({
    rows: count,
    accepted: count,
    rejected: count,
    duplicates: count,
    slots: z.strictObject({ needed: count, free: count }),
    columns: columnsSchema,
    findings: z.array(
      z.strictObject({
        line: z.int(),
        address: z.string().optional(),
        code: z.enum(rowFindingCodes),
        message: z.string(),
      }),
    ),
    findingsOmitted: count,
    sample: z.array(sampleRowSchema),
  })
  .meta({ id: 'Preview', description: 'What an import with this upload would do.' });
