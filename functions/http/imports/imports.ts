import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import { requireReadyConnection } from '../../../shared/connections/readiness/require-ready.ts';
import { requireConnection } from '../../../shared/connections/require-connection.ts';
import { type SelectDeps, type SelectionRequest, selectMailboxes } from '../../../shared/directory/select-mailboxes.ts';
import { badCursor } from '../../../shared/directory/selection-search.ts';
import { startSelection } from '../../../shared/directory/start-selection.ts';
import { pageOf } from '../../../shared/edge/answers/response-fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { requestCancel } from '../../../shared/imports/control/cancel-import.ts';
import { pauseImport } from '../../../shared/imports/control/pause-import.ts';
import { type ResumeDeps, resumeImport } from '../../../shared/imports/control/resume-import.ts';
import type { Import } from '../../../shared/imports/import.ts';
import type { ImportQueues } from '../../../shared/imports/import-queues.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import type { Ledger } from '../../../shared/imports/ledger/ledger.ts';
import { rowStates } from '../../../shared/imports/ledger/row.ts';
import { listImports } from '../../../shared/imports/progress/list-imports.ts';
import { type ProgressDeps, readProgress } from '../../../shared/imports/progress/progress.ts';
import { requireChanged, requireImport, requireRows } from '../../../shared/imports/require-import.ts';
import { previewImport, previewKeptUpload } from '../../../shared/imports/starting/preview-import.ts';
import { requireEnded, retryFailed } from '../../../shared/imports/starting/retry-failed.ts';
import { type StartDeps, startImport } from '../../../shared/imports/starting/start-import.ts';
import { startKeptImport } from '../../../shared/imports/starting/start-kept-import.ts';
import type { KeptUploadStore } from '../../../shared/imports/upload/kept-upload.ts';
import { writeNdjsonRows } from '../../../shared/imports/upload/ndjson-rows.ts';
import { mailboxList } from '../../../shared/imports/upload/parse-mailbox-list.ts';
import { uploadTypes } from '../../../shared/imports/upload/read-upload.ts';
import { type UploadLeaseDeps, withUploadLease } from '../../../shared/imports/upload/with-upload-lease.ts';
import type { WorkbookReader } from '../../../shared/imports/upload/xlsx/read-workbook.ts';
import type { CustomerActor } from '../../../shared/kernel/actor.ts';
import type { ErrorCode } from '../../../shared/kernel/errors.ts';
import { askAgainHeaders } from '../ask-again.ts';
import { importSchema, previewSchema, retrySchema, rowSchema } from './import-schemas.ts';
import { isList, keptUploadReference, openUpload, selectionRequests, XLSX } from './open-upload.ts';
import { presentPreview, presentProgress, presentRow } from './present-import.ts';

interface Deps
  extends Omit<EndpointDeps, 'clock'>,
    StartDeps,
    Pick<ResumeDeps, 'testConnection'>,
    Omit<UploadLeaseDeps, 'clock'>,
    Omit<SelectDeps, 'sealCursor'> {
  connections: ConnectionStore;
  imports: ImportStore;
  ledger: Ledger;
  importQueues: ImportQueues;
  keptUploads: KeptUploadStore;
  keptUploadsMax: number;
  readWorkbook: WorkbookReader;
}

const rowState = z.enum(rowStates).optional();
/** `verdict` is the earlier name of `state`. */
const rowQuery = z
  .strictObject({ state: rowState, verdict: rowState })
  .refine(({ state, verdict }) => state === undefined || verdict === undefined, {
    path: ['verdict'],
    message: 'is the earlier name of `state`. Send only `state`.',
  });

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

export function addImportRoutes(api: Api, deps: Deps): void {
  api.route({
    name: 'imports-create',
    method: 'POST',
    path: 'v1/connections/{connectionId}/imports',
    tag: 'Imports',
    summary: 'Start an import',
    description:
      'With `dryRun=true` nothing is started: the answer tells what an import would do. The upload is kept for a while, and `{"uploadId": …}` starts an import from it without sending the file again. Its rows are judged again at that time. One file can be uploaded to a connection at a time, dry runs included. A second one is answered with 409 `upload_in_progress`.',
    refusals: [
      'idempotency_key_reused',
      'connection_not_ready',
      'slot_limit_reached',
      'quota_reached',
      'upload_in_progress',
      'upload_used',
      'directory_unavailable',
      'nothing_selected',
      'selection_incomplete',
      'microsoft_throttled',
      'microsoft_unavailable',
      'file_empty',
      'file_not_text',
      'file_malformed',
      'file_no_address_column',
    ],
    uploads: {
      'text/csv': {
        description:
          'A CSV file with a header line and one line for each mailbox, or a file of addresses only, without a header.',
      },
      [XLSX]: {
        description:
          'An Excel workbook (.xlsx). Its first visible sheet is read. The first bytes of a file decide what it is, so a workbook may also be sent as `text/csv`.',
      },
      'multipart/form-data': {
        description: 'A form with one field, `file`, that contains the CSV file or the workbook.',
      },
      'application/json': {
        schema: z.union([mailboxList, keptUploadReference, ...selectionRequests]),
        description:
          'A list of mailboxes, the upload of a dry run, or what to take from the tenant: all that is not connected, or the members of a group. Then at most `SELECTION_MAX` mailboxes (1,000) are taken at a time, and `selection` in the answer says whether there are more. In a very large tenant or group, a request that finds nothing in 20 seconds is answered with 409 `selection_incomplete`. Its `nextCursor` is the `cursor` with which the next request goes on.',
      },
    },
    responses: {
      200: { description: 'What an import would do (`dryRun=true`).', schema: previewSchema },
      202: {
        description: 'The import has started.',
        schema: importSchema,
        headers: { Location: 'The path of the import.' },
      },
    },
    permission: 'manage',
    bodyKind: 'stream',
    query: z.strictObject({ dryRun: flag.optional() }),
    continues: true,
    changes: (query) => !query.dryRun,
    async handle({ actor, params, query, body, request, newId, page, sealCursor }) {
      const connection = await requireReadyConnection(deps, actor, params.connectionId ?? '');
      const own = { ...deps, newId, sealCursor };
      const open = (bytes: AsyncIterable<Uint8Array>) => openUpload(deps, request.headers, bytes);
      const receive = async (upload: Awaited<ReturnType<typeof open>>): Promise<HttpResponseInit> => {
        if ('selection' in upload) return receiveSelection(upload.selection);
        if (page.cursor !== undefined) throw badCursor('is for a selection');
        if (query.dryRun) {
          const previewed = await ('uploadId' in upload
            ? previewKeptUpload(own, actor, connection, upload.uploadId)
            : previewImport(own, actor, connection, upload));
          return { jsonBody: presentPreview(previewed) };
        }
        const record = await ('uploadId' in upload
          ? startKeptImport(own, actor, connection, upload.uploadId)
          : startImport(own, actor, connection, upload));
        return answerStarted(deps, record);
      };
      const receiveSelection = async (selection: SelectionRequest): Promise<HttpResponseInit> => {
        if (!query.dryRun)
          return answerStarted(deps, await startSelection(own, actor, connection, selection, page.cursor));
        const { rows } = await selectMailboxes(own, connection, selection, page.cursor);
        const upload = { type: uploadTypes.ndjson, bytes: writeNdjsonRows(rows) };
        return { jsonBody: presentPreview(await previewImport(own, actor, connection, upload)) };
      };
      if (!isList(request.headers)) {
        return withUploadLease(deps, connection, body, async (bytes) => receive(await open(bytes)));
      }
      const upload = await open(body);
      // A list is small and arrives quickly. A kept upload is read again, and takes as long as a file.
      return 'uploadId' in upload ? withUploadLease(deps, connection, body, () => receive(upload)) : receive(upload);
    },
  });

  api.route({
    name: 'imports-list',
    method: 'GET',
    path: 'v1/connections/{connectionId}/imports',
    tag: 'Imports',
    summary: 'List the imports of a connection',
    responses: { 200: { description: 'One page of imports, newest first.', schema: pageOf(importSchema) } },
    permission: 'read',
    list: true,
    async handle({ actor, params, page, answerPage }) {
      const connection = await requireConnection(deps, actor, params.connectionId ?? '');
      return answerPage(await listImports(deps, actor.customerId, connection.id, page), presentProgress);
    },
  });

  api.route({
    name: 'imports-get',
    method: 'GET',
    path: 'v1/imports/{importId}',
    tag: 'Imports',
    summary: 'Get an import and its progress',
    responses: {
      200: {
        description: 'The import.',
        schema: importSchema,
        headers: { 'Retry-After': 'Seconds until it is worth asking again. Absent once the import has ended.' },
      },
    },
    permission: 'read',
    async handle({ actor, params }) {
      const record = await requireImport(deps, actor, params.importId ?? '');
      return { headers: askAgainHeaders(record), jsonBody: presentProgress(await readProgress(deps, record)) };
    },
  });

  const addVerb = (
    verb: string,
    texts: { summary: string; answer: string; refusals?: ErrorCode[] },
    change: (actor: CustomerActor, record: Import) => Promise<Import | undefined>,
  ) =>
    api.route({
      name: `imports-${verb}`,
      method: 'POST',
      path: `v1/imports/{importId}/${verb}`,
      tag: 'Imports',
      summary: texts.summary,
      refusals: ['wrong_state', ...(texts.refusals ?? [])],
      responses: { 200: { description: texts.answer, schema: importSchema } },
      permission: 'manage',
      async handle({ actor, params }) {
        const record = await requireImport(deps, actor, params.importId ?? '');
        const changed = requireChanged(record, verb, await change(actor, record));
        return { jsonBody: presentProgress(await readProgress(deps, changed)) };
      },
    });
  addVerb('pause', { summary: 'Pause an import', answer: 'The paused import.' }, (actor, { id }) =>
    pauseImport(deps, actor.customerId, id),
  );
  addVerb(
    'resume',
    {
      summary: 'Resume a paused import',
      answer: 'The import, which continues with its open rows. If its connection was not ready, it was tested first.',
      refusals: ['connection_not_ready'],
    },
    (_actor, record) => resumeImport(deps, record),
  );
  addVerb(
    'cancel',
    { summary: 'Cancel an import', answer: 'The import, which is being cancelled or already was.' },
    (_actor, record) => requestCancel(deps, record),
  );

  api.route({
    name: 'imports-retry-failed',
    method: 'POST',
    path: 'v1/imports/{importId}/retry-failed',
    tag: 'Imports',
    summary: 'Check the failed and inconclusive rows of an import again',
    description:
      'Starts a new import of these rows, with their names, limits and references. Its `retryOf` names the first import, which must have ended. Mailboxes that were connected in the meantime are duplicates.',
    refusals: [
      'wrong_state',
      'gone',
      'nothing_to_retry',
      'gone',
      'connection_not_ready',
      'slot_limit_reached',
      'quota_reached',
      'upload_in_progress',
    ],
    responses: {
      202: {
        description: 'The new import.',
        schema: importSchema,
        headers: { Location: 'The path of the new import.' },
      },
    },
    permission: 'manage',
    body: retrySchema,
    async handle({ actor, params, body, newId }) {
      const first = await requireImport(deps, actor, params.importId ?? '');
      requireEnded(first);
      requireRows(first);
      const connection = await requireReadyConnection(deps, actor, first.connectionId);
      return answerStarted(deps, await retryFailed({ ...deps, newId }, actor, connection, first, body?.causes));
    },
  });

  api.route({
    name: 'imports-rows',
    method: 'GET',
    path: 'v1/imports/{importId}/rows',
    tag: 'Imports',
    summary: 'List the rows of an import',
    refusals: ['gone'],
    responses: { 200: { description: 'One page of rows, in the order of the file.', schema: pageOf(rowSchema) } },
    permission: 'read',
    query: rowQuery,
    list: true,
    async handle({ actor, params, query, page, answerPage }) {
      const record = await requireImport(deps, actor, params.importId ?? '');
      requireRows(record);
      return answerPage(
        await deps.ledger.listRows(record.connectionId, record.id, page, query.state ?? query.verdict),
        (row) => presentRow(row, record),
      );
    },
  });
}

async function answerStarted(deps: ProgressDeps, record: Import): Promise<HttpResponseInit> {
  return {
    status: 202,
    headers: { location: `/v1/imports/${record.id}` },
    jsonBody: presentProgress(await readProgress(deps, record)),
  };
}
