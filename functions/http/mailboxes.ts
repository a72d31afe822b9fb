import { z } from 'zod';
import { scopeOf } from '../../shared/checks/scope-check/mailbox-scope.ts';
import type { Connection } from '../../shared/connections/connection.ts';
import type { ConnectionStore } from '../../shared/connections/connection-store.ts';
import { requireConnection } from '../../shared/connections/require-connection.ts';
import type { Api } from '../../shared/edge/api.ts';
import type { EndpointDeps } from '../../shared/edge/endpoint.ts';
import { pageOf } from '../../shared/edge/response-fields.ts';
import type { Ledger } from '../../shared/imports/ledger/ledger.ts';
import { requireMailbox } from '../../shared/imports/require-mailbox.ts';
import { identifierOf } from '../../shared/mailboxes/identity.ts';
import { type Mailbox, mailboxStatuses } from '../../shared/mailboxes/mailbox.ts';
import { mailboxSchema } from './mailbox-schemas.ts';
import { presentFindings } from './present-findings.ts';

interface Deps extends EndpointDeps {
  connections: ConnectionStore;
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
      return answerPage(await deps.ledger.listMailboxes(connection.id, page, query.status), (mailbox) =>
        present(mailbox, connection),
      );
    },
  });

  api.route({
    name: 'mailboxes-get',
    method: 'GET',
    path: 'v1/connections/{connectionId}/mailboxes/{address}',
    tag: 'Mailboxes',
    summary: 'Get a mailbox',
    responses: { 200: { description: 'The mailbox.', schema: mailboxSchema } },
    permission: 'read',
    async handle({ actor, params }) {
      const connection = await requireConnection(deps, actor, params.connectionId ?? '');
      const { value } = await requireMailbox(deps, connection.id, params.address ?? '');
      return { jsonBody: present(value, connection) };
    },
  });
}

function present(mailbox: Mailbox, connection: Connection): z.infer<typeof mailboxSchema> {
  const { objectId, primaryAddress, signInName } = mailbox.identity ?? {};
  return {
    address: mailbox.address,
    ...(mailbox.displayName !== undefined && { displayName: mailbox.displayName }),
    ...(mailbox.dailyLimit !== undefined && { dailyLimit: mailbox.dailyLimit }),
    ...(mailbox.reference !== undefined && { reference: mailbox.reference }),
    kind: mailbox.kind,
    identifiedBy: identifierOf(mailbox.identity ?? {}),
    ...(objectId !== undefined && { objectId }),
    ...(primaryAddress !== undefined && { primaryAddress }),
    ...(signInName !== undefined && { signInName }),
    ...(mailbox.replacedAt && { replacedAt: mailbox.replacedAt.toISOString() }),
    status: mailbox.status,
    checks: presentFindings(mailbox.checks),
    scope: scopeOf(mailbox, connection),
    nextCheckAt: mailbox.nextCheckAt?.toISOString() ?? null,
    importId: mailbox.listedIn ?? mailbox.importId,
    ...(mailbox.listedIn !== undefined && { actionId: mailbox.importId }),
    createdAt: mailbox.createdAt.toISOString(),
  };
}
