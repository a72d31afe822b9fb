import type { app } from '@azure/functions';
import { z } from 'zod';
import type { ConnectionStore } from '../../shared/connections/connection-store.ts';
import { requireConnection } from '../../shared/connections/require-connection.ts';
import { requireReadyConnection } from '../../shared/connections/require-ready.ts';
import { createEndpoint, type EndpointDeps } from '../../shared/edge/endpoint.ts';
import { requestCancel } from '../../shared/imports/cancel-import.ts';
import { type Import, isEnded } from '../../shared/imports/import.ts';
import type { ImportStore } from '../../shared/imports/import-store.ts';
import type { Ledger } from '../../shared/imports/ledger/ledger.ts';
import { rowStates } from '../../shared/imports/ledger/row.ts';
import { listImports } from '../../shared/imports/list-imports.ts';
import { pauseImport } from '../../shared/imports/pause-import.ts';
import { previewImport } from '../../shared/imports/preview-import.ts';
import { readProgress } from '../../shared/imports/progress.ts';
import { requireChanged, requireImport } from '../../shared/imports/require-import.ts';
import { resumeImport } from '../../shared/imports/resume-import.ts';
import { type StartDeps, startImport } from '../../shared/imports/start-import.ts';
import type { CustomerActor } from '../../shared/kernel/actor.ts';
import { openUpload } from './open-upload.ts';
import { presentProgress, presentRow } from './present-import.ts';

interface Deps extends Omit<EndpointDeps, 'clock'>, StartDeps {
  connections: ConnectionStore;
  imports: ImportStore;
  ledger: Ledger;
}

const RETRY_AFTER_SECONDS = 2;

const rowState = z.enum(rowStates).optional();
/** `verdict` is the earlier name of `state`. */
const rowQuery = z
  .strictObject({ state: rowState, verdict: rowState })
  .refine(({ state, verdict }) => state === undefined || verdict === undefined, {
    path: ['verdict'],
    message: 'is the earlier name of `state`. Send only `state`.',
  });

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
      async handle({ actor, params, query, body, request, newId }) {
        const connection = await requireReadyConnection(deps, actor, params.connectionId ?? '');
        const upload = await openUpload(request.headers, body, deps.http.jsonBodyMaxBytes);
        if (query.dryRun) return { jsonBody: await previewImport(deps, actor, connection, upload) };
        const record = await startImport({ ...deps, newId }, actor, connection, upload);
        return {
          status: 202,
          headers: { location: `/v1/imports/${record.id}` },
          jsonBody: presentProgress(await readProgress(deps, record)),
        };
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
        return answerPage(await listImports(deps, actor.customerId, connection.id, page), presentProgress);
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
        const record = await requireImport(deps, actor, params.importId ?? '');
        const headers = isEnded(record.status) ? {} : { 'retry-after': String(RETRY_AFTER_SECONDS) };
        return { headers, jsonBody: presentProgress(await readProgress(deps, record)) };
      },
    }),
  });

  const addVerb = (verb: string, change: (actor: CustomerActor, record: Import) => Promise<Import | undefined>) =>
    host.http(`imports-${verb}`, {
      methods: ['POST'],
      route: `v1/imports/{importId}/${verb}`,
      authLevel: 'anonymous',
      handler: endpoint({
        permission: 'manage',
        async handle({ actor, params }) {
          const record = await requireImport(deps, actor, params.importId ?? '');
          const changed = requireChanged(record, verb, await change(actor, record));
          return { jsonBody: presentProgress(await readProgress(deps, changed)) };
        },
      }),
    });
  addVerb('pause', (actor, { id }) => pauseImport(deps, actor.customerId, id));
  addVerb('resume', (_actor, record) => resumeImport(deps, record));
  addVerb('cancel', (_actor, record) => requestCancel(deps, record));

  host.http('imports-rows', {
    methods: ['GET'],
    route: 'v1/imports/{importId}/rows',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'read',
      query: rowQuery,
      list: true,
      async handle({ actor, params, query, page, answerPage }) {
        const record = await requireImport(deps, actor, params.importId ?? '');
        return answerPage(
          await deps.ledger.listRows(record.connectionId, record.id, page, query.state ?? query.verdict),
          presentRow,
        );
      },
    }),
  });
}
