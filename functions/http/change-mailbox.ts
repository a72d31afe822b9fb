import type { HttpResponseInit } from '@azure/functions';
import type { Connection } from '../../shared/connections/connection.ts';
import type { ConnectionStore } from '../../shared/connections/connection-store.ts';
import { requireConnection } from '../../shared/connections/require-connection.ts';
import { requireReady } from '../../shared/connections/require-ready.ts';
import type { Api } from '../../shared/edge/api.ts';
import type { EndpointDeps } from '../../shared/edge/endpoint.ts';
import { decideAction } from '../../shared/imports/actions/decide-action.ts';
import type { Ledger } from '../../shared/imports/ledger/ledger.ts';
import { readProgress } from '../../shared/imports/progress.ts';
import { requireMailbox } from '../../shared/imports/require-mailbox.ts';
import { type StartActionDeps, startOneAction } from '../../shared/imports/start-action.ts';
import { DomainError } from '../../shared/kernel/errors.ts';
import type { NewId } from '../../shared/kernel/ids.ts';
import type { MailboxAction } from '../../shared/mailboxes/mailbox-action.ts';
import { actionSchema } from './mailbox-action-schemas.ts';
import { presentAction } from './present-action.ts';

interface Deps extends Omit<EndpointDeps, 'clock'>, StartActionDeps {
  connections: ConnectionStore;
  ledger: Ledger;
}

/** What can be done with one mailbox. */
export function addChangeMailboxRoutes(api: Api, deps: Deps): void {
  async function startCheck(connection: Connection, action: MailboxAction, address: string, newId: NewId) {
    const mailbox = await requireMailbox(deps, connection.id, address);
    const decision = decideAction({ action }, mailbox);
    if (decision.kind === 'skip') throw new DomainError('wrong_state', decision.message);
    requireReady(connection);
    const { address: own, slotClaimedBy } = mailbox.value;
    const selected = { address: own, takesSlot: slotClaimedBy === undefined };
    return startOneAction({ ...deps, newId }, connection, action, selected);
  }

  const addCheck = (verb: 'check' | 'reconnect', summary: string, description: string) =>
    api.route({
      name: `mailboxes-${verb}`,
      method: 'POST',
      path: `v1/connections/{connectionId}/mailboxes/{address}/${verb}`,
      tag: 'Mailboxes',
      summary,
      description,
      refusals: ['wrong_state', 'connection_not_ready', 'slot_limit_reached', 'quota_reached'],
      responses: {
        202: {
          description: 'The check has started.',
          schema: actionSchema,
          headers: { Location: 'The path of the action.' },
        },
      },
      permission: 'manage',
      async handle({ actor, params, newId }): Promise<HttpResponseInit> {
        const connection = await requireConnection(deps, actor, params.connectionId ?? '');
        const record = await startCheck(connection, verb, params.address ?? '', newId);
        return {
          status: 202,
          headers: { location: `/v1/mailbox-actions/${record.id}` },
          jsonBody: presentAction(verb, await readProgress(deps, record)),
        };
      },
    });
  addCheck(
    'check',
    'Check a mailbox again',
    'A mailbox that works stays `active` while it is checked, until there is a verdict. One that failed takes a slot.',
  );
  addCheck(
    'reconnect',
    'Reconnect a mailbox',
    'Takes a slot and checks the mailbox, which was disconnected or failed.',
  );
}
