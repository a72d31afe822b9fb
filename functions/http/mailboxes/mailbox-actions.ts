import { Readable } from 'node:stream';
import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import { requireReady } from '../../../shared/connections/readiness/require-ready.ts';
import { requireConnection } from '../../../shared/connections/require-connection.ts';
import { pageOf } from '../../../shared/edge/answers/response-fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { selectAddresses, selectWhere } from '../../../shared/imports/actions/select-mailboxes.ts';
import { requestCancel } from '../../../shared/imports/control/cancel-import.ts';
import { pauseImport } from '../../../shared/imports/control/pause-import.ts';
import { type ResumeDeps, resumeImport } from '../../../shared/imports/control/resume-import.ts';
import { actionStarters, type Import } from '../../../shared/imports/import.ts';
import type { ImportQueues } from '../../../shared/imports/import-queues.ts';
import type { Ledger } from '../../../shared/imports/ledger/ledger.ts';
import { listImports } from '../../../shared/imports/progress/list-imports.ts';
import { readProgress } from '../../../shared/imports/progress/progress.ts';
import {
  type ActionRecord,
  requireAction,
  requireChanged,
  requireRows,
} from '../../../shared/imports/require-import.ts';
import { type StartActionDeps, startAction } from '../../../shared/imports/starting/start-action.ts';
import { type UploadLeaseDeps, withUploadLease } from '../../../shared/imports/upload/with-upload-lease.ts';
import type { CustomerActor } from '../../../shared/kernel/actor.ts';
import type { ErrorCode } from '../../../shared/kernel/errors.ts';
import { isCheck } from '../../../shared/mailboxes/mailbox-action.ts';
import { askAgainHeaders } from '../ask-again.ts';
import { actionRowSchema, actionRowStates, actionSchema, startActionSchema } from './mailbox-action-schemas.ts';
import { presentAction, presentActionRow, storedState } from './present-action.ts';

interface Deps
  extends Omit<EndpointDeps, 'clock'>,
    StartActionDeps,
    Pick<ResumeDeps, 'testConnection'>,
    Omit<UploadLeaseDeps, 'clock'> {
  connections: ConnectionStore;
  importQueues: ImportQueues;
  ledger: Ledger;
}

export function addMailboxActionRoutes(api: Api, deps: Deps): void {
  const answer = async (record: ActionRecord) => presentAction(record.action, await readProgress(deps, record));

  api.route({
    name: 'mailbox-actions-create',
    method: 'POST',
    path: 'v1/connections/{connectionId}/mailbox-actions',
    tag: 'Mailboxes',
    summary: 'Act on many mailboxes',
    description:
      'Takes either up to 1,000 `addresses` or a filter, `where`. The answer names the action, and you read its progress as you read that of an import. A mailbox that works stays `active` while it is checked again, until there is a verdict.',
    refusals: ['connection_not_ready', 'slot_limit_reached', 'quota_reached', 'nothing_selected', 'upload_in_progress'],
    responses: {
      202: {
        description: 'The action has started.',
        schema: actionSchema,
        headers: { Location: 'The path of the action.' },
      },
    },
    permission: 'manage',
    body: startActionSchema,
    async handle({ actor, params, body, newId }): Promise<HttpResponseInit> {
      const { action, addresses, where = {} } = body;
      const connection = await requireConnection(deps, actor, params.connectionId ?? '');
      if (isCheck(action)) requireReady(connection);
      const own = { ...deps, newId };
      const start = () => {
        const selected = addresses
          ? selectAddresses(deps.ledger, connection.id, addresses)
          : selectWhere(deps.ledger, connection.id, where);
        return startAction(own, connection, action, selected);
      };
      // A filter reads all mailboxes of the connection, so one of them at a time.
      const record = addresses ? await start() : await withUploadLease(deps, connection, Readable.from([]), start);
      return {
        status: 202,
        headers: { location: `/v1/mailbox-actions/${record.id}` },
        jsonBody: presentAction(action, await readProgress(deps, record)),
      };
    },
  });

  api.route({
    name: 'mailbox-actions-list',
    method: 'GET',
    path: 'v1/connections/{connectionId}/mailbox-actions',
    tag: 'Mailboxes',
    summary: 'List the actions on mailboxes of a connection',
    responses: { 200: { description: 'One page of actions, newest first.', schema: pageOf(actionSchema) } },
    permission: 'read',
    query: z.strictObject({ startedBy: z.enum(actionStarters).optional() }),
    list: true,
    async handle({ actor, params, query, page, answerPage }) {
      const connection = await requireConnection(deps, actor, params.connectionId ?? '');
      const of = query.startedBy ? { actionsOf: query.startedBy } : 'actions';
      const found = await listImports(deps, actor.customerId, connection.id, page, of);
      return answerPage(found, (progress) => presentAction(progress.record.action ?? 'check', progress));
    },
  });

  api.route({
    name: 'mailbox-actions-get',
    method: 'GET',
    path: 'v1/mailbox-actions/{actionId}',
    tag: 'Mailboxes',
    summary: 'Get an action and its progress',
    responses: {
      200: {
        description: 'The action.',
        schema: actionSchema,
        headers: { 'Retry-After': 'Seconds until it is worth asking again. Absent once the action has ended.' },
      },
    },
    permission: 'read',
    async handle({ actor, params }) {
      const record = await requireAction(deps, actor, params.actionId ?? '');
      return { headers: askAgainHeaders(record), jsonBody: await answer(record) };
    },
  });

  api.route({
    name: 'mailbox-actions-rows',
    method: 'GET',
    path: 'v1/mailbox-actions/{actionId}/rows',
    tag: 'Mailboxes',
    summary: 'List the mailboxes of an action',
    refusals: ['gone'],
    responses: { 200: { description: 'One page of mailboxes.', schema: pageOf(actionRowSchema) } },
    permission: 'read',
    query: z.strictObject({ state: z.enum(actionRowStates).optional() }),
    list: true,
    async handle({ actor, params, query, page, answerPage }) {
      const record = await requireAction(deps, actor, params.actionId ?? '');
      requireRows(record);
      const state = query.state && storedState(query.state);
      const rows = await deps.ledger.listRows(record.connectionId, record.id, page, state);
      return answerPage(rows, (row) => presentActionRow(record.action, row));
    },
  });

  const addVerb = (
    verb: string,
    texts: { summary: string; answer: string; refusals?: ErrorCode[] },
    change: (actor: CustomerActor, record: Import) => Promise<Import | undefined>,
  ) =>
    api.route({
      name: `mailbox-actions-${verb}`,
      method: 'POST',
      path: `v1/mailbox-actions/{actionId}/${verb}`,
      tag: 'Mailboxes',
      summary: texts.summary,
      refusals: ['wrong_state', ...(texts.refusals ?? [])],
      responses: { 200: { description: texts.answer, schema: actionSchema } },
      permission: 'manage',
      async handle({ actor, params }) {
        const record = await requireAction(deps, actor, params.actionId ?? '');
        const changed = requireChanged(record, verb, await change(actor, record), 'action');
        return { jsonBody: await answer({ ...changed, action: record.action }) };
      },
    });
  addVerb('pause', { summary: 'Pause an action', answer: 'The paused action.' }, (actor, { id }) =>
    pauseImport(deps, actor.customerId, id),
  );
  addVerb(
    'resume',
    { summary: 'Resume a paused action', answer: 'The action, which goes on.', refusals: ['connection_not_ready'] },
    (_actor, record) => resumeImport(deps, record),
  );
  addVerb(
    'cancel',
    {
      summary: 'Cancel an action',
      answer: 'The action, which is being cancelled or already was. What was done with mailboxes until then stays.',
    },
    (_actor, record) => requestCancel(deps, record),
  );
}
