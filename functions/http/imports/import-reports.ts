import { ReadableStream } from 'node:stream/web';
import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import type { Ledger } from '../../../shared/imports/ledger/ledger.ts';
import type { RowState } from '../../../shared/imports/ledger/row.ts';
import {
  failedCsv,
  failedStates,
  jsonLines,
  type ReportFormat,
  reportCsv,
} from '../../../shared/imports/reports/report-files.ts';
import { reportName } from '../../../shared/imports/reports/report-name.ts';
import { openReport } from '../../../shared/imports/reports/write-report.ts';
import { requireImport } from '../../../shared/imports/require-import.ts';
import type { Delimiter } from '../../../shared/imports/upload/csv-format.ts';
import type { CustomerActor } from '../../../shared/kernel/actor.ts';
import { presentReportRow } from './present-report.ts';
import { reportRowSchema } from './report-schemas.ts';

interface Deps extends EndpointDeps {
  connections: Pick<ConnectionStore, 'get'>;
  imports: ImportStore;
  ledger: Ledger;
}

const CSV = 'text/csv; charset=utf-8';
const JSON_LINES = 'application/x-ndjson';

export const csvDelimiters = { comma: ',', semicolon: ';', tab: '\t' } as const satisfies Record<string, Delimiter>;
export const delimiterQuery = z
  .enum(['comma', 'semicolon', 'tab'])
  .default('comma')
  .meta({ description: 'What separates the values. Excel expects a semicolon where the comma is the decimal sign.' });
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

const AS_IT_IS_NOW =
  'A running import answers with what is known now. `Muster-Import-Status` says whether the import has ended. The answer is streamed: if something fails midway, the connection breaks, and what has arrived is not the whole report.';

const headers = {
  'Content-Disposition': 'A name for the file.',
  'Muster-Import-Status': 'The status of the import when the report began.',
};

export function addImportReportRoutes(api: Api, deps: Deps): void {
  const answer = async (
    actor: CustomerActor,
    importId: string | undefined,
    { kind, type, format, states }: Report,
  ): Promise<HttpResponseInit> => {
    const record = await requireImport(deps, actor, importId ?? '');
    const connection = await deps.connections.get(actor.customerId, record.connectionId);
    const report = await openReport(deps, record, format, states);
    const name = reportName(record, connection?.value.name, kind, type === CSV ? 'csv' : 'jsonl');
    return {
      headers: {
        'content-type': type,
        'content-disposition': `attachment; filename="${name}"`,
        'muster-import-status': record.status,
      },
      body: ReadableStream.from(report),
    };
  };

  api.route({
    name: 'imports-report-csv',
    method: 'GET',
    path: 'v1/imports/{importId}/report.csv',
    tag: 'Imports',
    summary: 'Download the result of every row as CSV',
    description: `Every row in the order of the file, with the verdict of each probe, what is wrong and how to fix it. In UTF-8 with a byte order mark, for spreadsheets. A value that a spreadsheet would take for a formula has an apostrophe before it, which an import removes again. ${AS_IT_IS_NOW}`,
    refusals: ['gone'],
    responses: { 200: { description: 'A CSV file with a header line.', contentType: CSV, headers } },
    permission: 'read',
    query: z.strictObject({ delimiter: delimiterQuery }),
    isDownload: true,
    handle: ({ actor, params, query }) =>
      answer(actor, params.importId, { kind: 'report', type: CSV, format: reportCsv(csvDelimiters[query.delimiter]) }),
  });

  api.route({
    name: 'imports-failed-csv',
    method: 'GET',
    path: 'v1/imports/{importId}/failed.csv',
    tag: 'Imports',
    summary: 'Download the rows that can be corrected and imported again',
    description: `The rows that failed, were inconclusive or were rejected, with the columns that an import reads and the values that you sent. Correct them and upload the file as it is. The columns \`problem\` and \`fix\` say what to correct; an import ignores them. ${AS_IT_IS_NOW}`,
    refusals: ['gone'],
    responses: { 200: { description: 'A CSV file that an import accepts.', contentType: CSV, headers } },
    permission: 'read',
    query: z.strictObject({
      delimiter: delimiterQuery,
      cancelled: flag
        .optional()
        .meta({ description: '`true` adds the rows that have no verdict because the import was cancelled.' }),
    }),
    isDownload: true,
    handle: ({ actor, params, query }) =>
      answer(actor, params.importId, {
        kind: 'failed',
        type: CSV,
        format: failedCsv(csvDelimiters[query.delimiter]),
        states: query.cancelled ? [...failedStates, 'cancelled'] : failedStates,
      }),
  });

  api.route({
    name: 'imports-report-json',
    method: 'GET',
    path: 'v1/imports/{importId}/report.json',
    tag: 'Imports',
    summary: 'Download the result of every row as JSON lines',
    description: `Every row in the order of the file, each as a JSON object on a line of its own. ${AS_IT_IS_NOW}`,
    refusals: ['gone'],
    responses: {
      200: { description: 'One JSON object per line.', lines: reportRowSchema, contentType: JSON_LINES, headers },
    },
    permission: 'read',
    isDownload: true,
    handle: ({ actor, params }) =>
      answer(actor, params.importId, { kind: 'report', type: JSON_LINES, format: jsonLines(presentReportRow) }),
  });
}

interface Report {
  kind: 'report' | 'failed';
  type: typeof CSV | typeof JSON_LINES;
  format: ReportFormat;
  states?: readonly RowState[];
}
