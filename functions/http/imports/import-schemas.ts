import { z } from 'zod';
import { causeCodes } from '../../../shared/causes/causes.ts';
import { instant } from '../../../shared/edge/answers/response-fields.ts';
import { importStatuses } from '../../../shared/imports/import.ts';
import { waitReasons } from '../../../shared/imports/import-wait.ts';
import { rowStates } from '../../../shared/imports/ledger/row.ts';
import { delimiters, encodings } from '../../../shared/imports/upload/csv-format.ts';
import { rowFields } from '../../../shared/imports/upload/parsed-row.ts';
import { rowFindingCodes, rowFindingResults } from '../../../shared/imports/upload/row-findings.ts';
import { causeSchema, microsoftIds } from '../finding-schemas.ts';

const count = z.int().min(0);

export const countsSchema = z
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

const findingCountsSchema = z.partialRecord(z.enum(rowFindingCodes), count).meta({
  id: 'FindingCounts',
  description: 'How many rows have a finding with each code. Codes that no row has are left out.',
});

const firstLine = z
  .int()
  .optional()
  .meta({ description: 'Of a duplicate in the file: the line that has the same address and counts.' });
const suggestion = z.string().optional().meta({ description: 'An address that may be meant.' });

export const importFindingSchema = z
  .strictObject({
    cause: z.string().meta({ description: 'A cause, or a code of an import as a whole.', example: 'secret_expired' }),
    detail: z.string(),
    fix: z.string().optional(),
    link: z.string().optional(),
    ...microsoftIds,
    seenAt: instant,
  })
  .meta({ id: 'ImportFinding', description: 'Why the import paused or failed.' });

const columnsSchema = z
  .strictObject({
    used: z.partialRecord(z.enum(rowFields), z.string()).meta({
      description: 'The header that each field is read from. A name in two columns is put together.',
      examples: [{ address: 'PrimarySmtpAddress', displayName: 'First Name + Last Name' }],
    }),
    ignored: z.array(z.string()).meta({ description: 'Headers that Muster does not know or does not need.' }),
    hasHeader: z
      .boolean()
      .optional()
      .meta({ description: 'Files only. `false` for a list of addresses that begins on the first line.' }),
    sheet: z.string().optional().meta({ description: 'Workbooks only. The name of the sheet that was read.' }),
    delimiter: z.enum(delimiters).optional().meta({ description: 'CSV only.' }),
    encoding: z.enum(encodings).optional().meta({
      description:
        'CSV only. A text that is not valid UTF-8 is read as `windows-1252`. Then check the names with accents.',
    }),
  })
  .meta({ id: 'UploadColumns', description: 'How an upload was read.' });

export const waitSchema = z
  .strictObject({
    cause: z.enum(waitReasons),
    message: z.string().meta({ description: 'The same in words.' }),
    until: instant.nullable().meta({ description: 'When Microsoft is asked next. `null` if no time is known.' }),
  })
  .meta({ id: 'ImportWait' });

const selectionSchema = z
  .strictObject({
    from: z.enum(['directory', 'group']),
    groupId: z.string().optional(),
    groupName: z.string().optional(),
    selected: count.meta({ description: 'Mailboxes that the import takes.' }),
    hasMore: z.boolean().meta({
      description: 'There are more. The same selection takes them when these are connected.',
    }),
    connected: count.optional().meta({ description: 'Of a group: members that were connected already.' }),
    ineligible: count.optional().meta({ description: 'Of a group: members that cannot be imported, such as guests.' }),
    nestedGroups: z.array(z.string()).optional().meta({
      description: 'Groups within the group, at most 20. Their members are not selected.',
    }),
    nestedGroupsOmitted: count.optional(),
  })
  .meta({ id: 'Selection', description: 'What the mailboxes of an import were selected from.' });

export const importSchema = z
  .strictObject({
    id: z.string().meta({ example: 'imp_01k2m8qj4vabcdefghjkmnp' }),
    connectionId: z.string(),
    status: z.enum(importStatuses),
    counts: countsSchema,
    findingCounts: findingCountsSchema,
    percent: z.number().min(0).max(100).meta({ description: 'Share of the accepted rows that are settled.' }),
    secondsLeft: count.nullable().meta({
      description: 'About how long the import still takes, at its present rate. `null` as long as nobody knows.',
    }),
    createdAt: instant,
    startedAt: instant.nullable(),
    finishedAt: instant.nullable(),
    uploadExpiresAt: instant.nullable().meta({ description: 'When the uploaded file is deleted.' }),
    rowsExpireAt: instant
      .nullable()
      .meta({ description: 'When the rows are deleted. The counts stay. `null` until the import has ended.' }),
    finding: importFindingSchema.nullable(),
    waitingFor: waitSchema
      .nullable()
      .meta({ description: 'What a running import waits for. It goes on by itself. `null` if nothing holds it up.' }),
    columns: columnsSchema.optional().meta({ description: 'Absent for imports from before this was kept.' }),
    selection: selectionSchema.optional().meta({ description: 'Absent if the mailboxes were sent.' }),
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
    message: z.string().optional().meta({
      description:
        'Says in words why the row was rejected, is a duplicate or waits, or what is special about this mailbox: for example, that the address is another name of one that is connected already.',
    }),
    firstLine,
    suggestion,
    cause: causeSchema.optional(),
    requestId: z.string().optional(),
    nextCheckAt: instant.optional().meta({ description: 'When a waiting row is checked again, at the earliest.' }),
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
        result: z
          .enum(rowFindingResults)
          .meta({ description: 'What becomes of the row. An accepted row is checked in spite of its finding.' }),
        code: z.enum(rowFindingCodes),
        message: z.string(),
        firstLine,
        suggestion,
      }),
    ),
    findingsOmitted: count.meta({ description: 'The number of findings beyond the first 1,000, which are listed.' }),
    findingCounts: findingCountsSchema,
    sample: z.array(sampleRowSchema),
    uploadId: z.string().nullable().meta({
      description:
        'Names the kept upload. A POST of `{"uploadId": …}` starts an import from it. `null` if too many uploads of dry runs are kept; then send the file again.',
      example: 'upl_01k2m8qj4vabcdefghjkmnp',
    }),
    expiresAt: instant.nullable().meta({ description: 'Until when an import can be started from the kept upload.' }),
  })
  .meta({ id: 'Preview', description: 'What an import with this upload would do.' });
