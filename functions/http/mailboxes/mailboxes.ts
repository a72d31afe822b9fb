import { z } from 'zod';
import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import { requireConnection } from '../../../shared/connections/require-connection.ts';
import { pageOf } from '../../../shared/edge/answers/response-fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import type { Ledger } from '../../../shared/imports/ledger/ledger.ts';
import { requireMailbox } from '../../../shared/imports/one-mailbox/require-mailbox.ts';
import { mailboxStatuses } from '../../../shared/mailboxes/mailbox.ts';
import { mailboxSchema, mailboxWithHistorySchema } from './mailbox-schemas.ts';
import { type PresentMailboxDeps, presentMailbox, presentOneMailbox, readCircumstances } from './present-mailbox.ts';

interface Deps extends EndpointDeps, Omit<PresentMailboxDeps, 'clock'> {
  connections: ConnectionStore;
  imports: ImportStore;
  ledger: Ledger;
}

export function addMailboxRoutes(api: Api, deps: Deps): void {
  api.route({
    name: 'mailboxes-list',
    method: 'GET',
    path: 'v1/connections/{connectionId}/mailboxes',
    tag: 'Mailboxes',
    summary: 'List the mailboxes of a connection',
    responses: { 200: { description: 'One page of mailboxes.', schema: pageOf(mailboxSchema) } },
    permission: 'read',
    query: z.strictObject({ status: z.enum(mailboxStatuses).optional() }),
    list: true,
    async handle({ actor, params, query, page, answerPage }) {
      const connection = await requireConnection(deps, actor, params.connectionId ?? '');
      const found = await deps.ledger.listMailboxes(connection.id, page, query.status);
      const circumstances = await readCircumstances(deps, connection, found.items);
      return answerPage(found, (mailbox) => presentMailbox(mailbox, circumstances));
    },
  });

  api.route({
    name: 'mailboxes-get',
    method: 'GET',
    path: 'v1/connections/{connectionId}/mailboxes/{address}',
    tag: 'Mailboxes',
    summary: 'Get a mailbox and how its verdict has changed',
    responses: { 200: { description: 'The mailbox.', schema: mailboxWithHistorySchema } },
    permission: 'read',
    async handle({ actor, params }) {
      const connection = await requireConnection(deps, actor, params.connectionId ?? '');
      const { value } = await requireMailbox(deps, connection.id, params.address ?? '');
      return { jsonBody: await presentOneMailbox(deps, connection, value) };
    },
  });
}
