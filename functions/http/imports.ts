import type { app, HttpRequest } from '@azure/functions';
import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connections/connection-store.ts';
import { requireConnection } from '../../shared/connections/require-connection.ts';
import { mediaType, readJson } from '../../shared/edge/body.ts';
import { createEndpoint, type EndpointDeps } from '../../shared/edge/endpoint.ts';
import { cancelImport } from '../../shared/imports/cancel-import.ts';
import { finishImport, type ImportEvents } from '../../shared/imports/finishing/finish-import.ts';
import { type Import, isEnded } from '../../shared/imports/import.ts';
import type { ImportStore } from '../../shared/imports/import-store.ts';
import type { Ledger } from '../../shared/imports/ledger/ledger.ts';
import type { Row } from '../../shared/imports/ledger/row.ts';
import { pauseImport } from '../../shared/imports/pause-import.ts';
import { type Progress, readProgress } from '../../shared/imports/progress.ts';
import { requireImport } from '../../shared/imports/require-import.ts';
import { resumeImport } from '../../shared/imports/resume-import.ts';
import { freeSlots, requireReady, type StartDeps, slotDemand, startImport } from '../../shared/imports/start-import.ts';
import { writeCanonical } from '../../shared/imports/upload/canonical-rows.ts';
import type { UploadLimits } from '../../shared/imports/upload/parsed-row.ts';
import { previewUpload } from '../../shared/imports/upload/preview.ts';
import { parseMailboxList } from '../../shared/imports/upload/read-json.ts';
import { readMultipart } from '../../shared/imports/upload/read-multipart.ts';
import { readUpload, type UploadType, uploadTypes } from '../../shared/imports/upload/read-upload.ts';
import { receiveUpload } from '../../shared/imports/upload/receive-upload.ts';
import type { UploadStore } from '../../shared/imports/upload/upload-store.ts';
import { DomainError } from '../../shared/kernel/errors.ts';
import type { Slots } from '../../shared/plans/slots.ts';

interface Deps extends EndpointDeps, Omit<StartDeps, 'slots' | 'uploads' | 'clock'> {
  connections: ConnectionStore;
  imports: ImportStore;
  ledger: Ledger;
  slots: Slots;
  uploads: UploadStore;
  uploadLimits: UploadLimits;
  importEvents: ImportEvents;
}

const RETRY_AFTER_SECONDS = 2;
const verdicts = [
  'rejected',
  'duplicate',
  'pending',
  'waiting',
  'passed',
  'failed',
  'inconclusive',
  'cancelled',
] as const;

export function addImportRoutes(host: Pick<typeof app, 'http'>, deps: Deps): void {
  const endpoint = createEndpoint(deps);

  host.http('imports-create', {
    methods: ['POST'],
    route: 'v1/connections/{connectionId}/imports',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'manage',
      bodyKind: 'stream',
      query: z.strictObject({ dryRun: z.stringbool().optional() }),
      async handle({ actor, params, query, body, request }) {
        const connection = await requireConnection(deps, actor, params.connectionId ?? '');
        requireReady(connection);
        if (query.dryRun) {
          const upload = await openUpload(deps, request, body);
          const reading = await readUpload(upload.type, upload.bytes, deps.uploadLimits);
          const demand = await slotDemand(deps, connection.id);
          const free = await freeSlots(deps, actor.customerId);
          const preview = await previewUpload(
            reading,
            { isTaken: demand.isTaken, holdsSlot: demand.holdsSlot },
            { free },
          );
          return { jsonBody: preview };
        }
        const record = await startImport(deps, actor, connection, async (importId, visit) => {
          const upload = await openUpload(deps, request, body);
          return receiveUpload(
            { uploads: deps.uploads, limits: deps.uploadLimits },
            { customerId: actor.customerId, importId, contentType: upload.type, body: upload.bytes },
            visit,
          );
        });
        const progress = await readProgress(deps, record);
        return { status: 202, headers: { location: `/v1/imports/${record.id}` }, jsonBody: present(progress) };
      },
    }),
  });

  host.http('imports-list', {
    methods: ['GET'],
    route: 'v1/connections/{connectionId}/imports',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'read',
      list: true,
      async handle({ actor, params, page, answerPage }) {
        const connection = await requireConnection(deps, actor, params.connectionId ?? '');
        const found = await deps.imports.list(actor.customerId, connection.id, page);
        const items = await Promise.all(found.items.map((record) => readProgress(deps, record)));
        return answerPage({ ...found, items }, present);
      },
    }),
  });

  host.http('imports-get', {
    methods: ['GET'],
    route: 'v1/imports/{importId}',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'read',
      async handle({ actor, params }) {
        const importId = params.importId ?? '';
        let progress = await readProgress(deps, await requireImport(deps, actor, importId));
        if (isOver(progress) && (await finishImport(deps, progress.record))) {
          progress = await readProgress(deps, await requireImport(deps, actor, importId));
        }
        const headers = isEnded(progress.record.status) ? {} : { 'retry-after': String(RETRY_AFTER_SECONDS) };
        return { headers, jsonBody: present(progress) };
      },
    }),
  });

  const steer = (verb: string, change: (customerId: string, record: Import) => Promise<Import | undefined>) =>
    host.http(`imports-${verb}`, {
      methods: ['POST'],
      route: `v1/imports/{importId}/${verb}`,
      authLevel: 'anonymous',
      handler: endpoint({
        permission: 'manage',
        async handle({ actor, params }) {
          const record = await requireImport(deps, actor, params.importId ?? '');
          const changed = await change(actor.customerId, record);
          if (!changed)
            throw new DomainError('wrong_state', `An import that is ${record.status} cannot be told to ${verb}.`);
          return { jsonBody: present(await readProgress(deps, changed)) };
        },
      }),
    });
  steer('pause', (customerId, { id }) => pauseImport(deps, customerId, id));
  steer('resume', async (customerId, { id, connectionId }) => {
    // What paused it may concern the connection: that is mended first, and a test shows that it is.
    const connection = (await deps.connections.get(customerId, connectionId))?.value;
    if (connection) requireReady(connection);
    return resumeImport(deps, customerId, id);
  });
  steer('cancel', (customerId, { id }) => cancelImport(deps, customerId, id, 'cancelled'));

  host.http('imports-rows', {
    methods: ['GET'],
    route: 'v1/imports/{importId}/rows',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'read',
      query: z.strictObject({ verdict: z.enum(verdicts).optional() }),
      list: true,
      async handle({ actor, params, query, page, answerPage }) {
        const record = await requireImport(deps, actor, params.importId ?? '');
        return answerPage(await deps.ledger.listRows(record.connectionId, record.id, page, query.verdict), presentRow);
      },
    }),
  });
}

/** Every row is settled and nobody has written the end yet: whoever looks may do it. */
function isOver({ record, counts }: Progress): boolean {
  const isOpen = record.status === 'running' || record.status === 'cancelling' || record.status === 'paused';
  return isOpen && counts.accepted > 0 && counts.pending + counts.waiting === 0;
}

/** What was sent, whichever way it came, as bytes that can be stored and read again. */
async function openUpload(
  deps: Deps,
  request: HttpRequest,
  body: AsyncIterable<Uint8Array>,
): Promise<{ type: UploadType; bytes: AsyncIterable<Uint8Array> }> {
  const contentType = request.headers.get('content-type');
  switch (mediaType(contentType)) {
    case 'text/csv':
      return { type: uploadTypes.csv, bytes: body };
    case 'multipart/form-data':
      return { type: uploadTypes.csv, bytes: await readMultipart(contentType ?? '', body) };
    case 'application/json': {
      const headers = request.headers;
      const read = await readJson(
        { headers, body: body as unknown as HttpRequest['body'] },
        deps.http.jsonBodyMaxBytes,
      );
      return { type: uploadTypes.rows, bytes: writeCanonical(parseMailboxList(read?.value)) };
    }
    default:
      throw new DomainError(
        'unsupported_media_type',
        'Send the mailboxes as text/csv, as multipart/form-data with the field "file", or as application/json.',
      );
  }
}

function present({ record, counts, percent }: Progress) {
  return {
    id: record.id,
    connectionId: record.connectionId,
    status: record.status,
    counts,
    percent,
    createdAt: record.createdAt.toISOString(),
    startedAt: record.startedAt?.toISOString() ?? null,
    finishedAt: record.finishedAt?.toISOString() ?? null,
    finding: record.finding ? presentFinding(record.finding) : null,
    ...(record.retryOf !== undefined && { retryOf: record.retryOf }),
  };
}

function presentFinding(finding: NonNullable<Import['finding']>) {
  const { code, detail, fix, link, microsoftCode, requestId, seenAt } = finding;
  return {
    code,
    detail,
    ...(fix !== undefined && { fix }),
    ...(link !== undefined && { link }),
    ...(microsoftCode !== undefined && { microsoftCode }),
    ...(requestId !== undefined && { requestId }),
    seenAt: seenAt.toISOString(),
  };
}

const HAS_MAILBOX: ReadonlySet<Row['state']> = new Set(['pending', 'waiting', 'passed', 'failed', 'inconclusive']);

function presentRow(row: Row) {
  return {
    line: row.line,
    address: row.address,
    state: row.state,
    ...(HAS_MAILBOX.has(row.state) && { mailbox: row.address }),
    ...(row.code !== undefined && { code: row.code }),
    ...(row.message !== undefined && { message: row.message }),
    ...(row.cause !== undefined && { cause: row.cause }),
    ...(row.requestId !== undefined && { requestId: row.requestId }),
    ...(row.nextCheckAt !== undefined && { nextCheckAt: row.nextCheckAt.toISOString() }),
    ...(row.reference !== undefined && { reference: row.reference }),
  };
}
