import type { HttpResponseInit } from '@azure/functions';
import { z } from 'zod';
import type { Connection } from '../../../shared/connections/connection.ts';
import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import { requireReady } from '../../../shared/connections/readiness/require-ready.ts';
import { requireConnection } from '../../../shared/connections/require-connection.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { decideAction } from '../../../shared/imports/actions/decide-action.ts';
import type { Ledger, Patch } from '../../../shared/imports/ledger/ledger.ts';
import { changeMailbox, pausePatch } from '../../../shared/imports/one-mailbox/change-mailbox.ts';
import { type EndMailboxDeps, endMailbox } from '../../../shared/imports/one-mailbox/end-mailbox.ts';
import { requireMailbox } from '../../../shared/imports/one-mailbox/require-mailbox.ts';
import { readProgress } from '../../../shared/imports/progress/progress.ts';
import { startOneCheck } from '../../../shared/imports/starting/start-action.ts';
import { DAILY_LIMIT_MAX } from '../../../shared/imports/upload/parse-row.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import type { Tagged } from '../../../shared/kernel/tagged.ts';
import type { Mailbox } from '../../../shared/mailboxes/mailbox.ts';
import { actionSchema } from './mailbox-action-schemas.ts';
import { mailboxWithHistorySchema } from './mailbox-schemas.ts';
import { presentAction } from './present-action.ts';
import { type PresentMailboxDeps, presentOneMailbox } from './present-mailbox.ts';

interface Deps extends Omit<EndpointDeps, 'clock'>, EndMailboxDeps, Pick<PresentMailboxDeps, 'reverifyTimes'> {
  connections: ConnectionStore;
  ledger: Ledger;
  fields: { nameMaxLength: number };
}

const PATH = 'v1/connections/{connectionId}/mailboxes/{address}';
const mailboxAnswer = { 200: { description: 'The mailbox.', schema: mailboxWithHistorySchema } };

/** What can be done with one mailbox. */
export function addChangeMailboxRoutes(api: Api, deps: Deps): void {
  const answer = async (connection: Connection, mailbox: Mailbox): Promise<HttpResponseInit> => ({
    jsonBody: await presentOneMailbox(deps, connection, mailbox),
  });

  api.route({
    name: 'mailboxes-update',
    method: 'PATCH',
    path: PATH,
    tag: 'Mailboxes',
    summary: 'Change the name or the daily limit of a mailbox',
    responses: mailboxAnswer,
    permission: 'manage',
    body: z
      .strictObject({
        displayName: z.string().trim().min(1).max(deps.fields.nameMaxLength).nullable().optional(),
        dailyLimit: z.int().min(1).max(DAILY_LIMIT_MAX).nullable().optional(),
      })
      .meta({ description: 'What is left out stays. `null` clears.' }),
    async handle({ actor, params, body, requireMatch }) {
      const connection = await requireConnection(deps, actor, params.connectionId ?? '');
      const { displayName, dailyLimit } = body;
      const patch: Patch<Mailbox> = {
        ...(displayName !== undefined && { displayName }),
        ...(dailyLimit !== undefined && { dailyLimit }),
      };
      const changed = await changeMailbox(deps, connection.id, params.address ?? '', async ({ value }) => {
        requireMatch(await presentOneMailbox(deps, connection, value));
        return patch;
      });
      return answer(connection, changed);
    },
  });

  const addPause = (verb: 'pause' | 'resume', summary: string, description: string) =>
    api.route({
      name: `mailboxes-${verb}`,
      method: 'POST',
      path: `${PATH}/${verb}`,
      tag: 'Mailboxes',
      summary,
      description,
      refusals: ['wrong_state', 'precondition_failed'],
      responses: mailboxAnswer,
      permission: 'manage',
      async handle({ actor, params, requireMatch }) {
        const connection = await requireConnection(deps, actor, params.connectionId ?? '');
        const changed = await changeMailbox(deps, connection.id, params.address ?? '', async (current) => {
          requireMatch(await presentOneMailbox(deps, connection, current.value));
          return pausePatch(verb, current, deps.clock.now());
        });
        return answer(connection, changed);
      },
    });
  addPause(
    'pause',
    'Pause a mailbox',
    'Its status is `paused` until you resume it. It keeps its slot. A check that is under way goes on, and its findings are shown. Pausing it again changes nothing.',
  );
  addPause('resume', 'Resume a paused mailbox', 'Its status is again what its checks have shown.');

  const addCheck = (verb: 'check' | 'reconnect', summary: string, description: string) =>
    api.route({
      name: `mailboxes-${verb}`,
      method: 'POST',
      path: `${PATH}/${verb}`,
      tag: 'Mailboxes',
      summary,
      description,
      refusals: ['wrong_state', 'precondition_failed', 'connection_not_ready', 'slot_limit_reached', 'quota_reached'],
      responses: {
        202: {
          description: 'The check has started.',
          schema: actionSchema,
          headers: { Location: 'The path of the action.' },
        },
      },
      permission: 'manage',
      async handle({ actor, params, newId, requireMatch }): Promise<HttpResponseInit> {
        const connection = await requireConnection(deps, actor, params.connectionId ?? '');
        const mailbox = await requireMailbox(deps, connection.id, params.address ?? '');
        requireMatch(await presentOneMailbox(deps, connection, mailbox.value));
        requireCheckable(verb, mailbox);
        requireReady(connection);
        const { address, slotClaimedBy } = mailbox.value;
        const selected = { address, takesSlot: slotClaimedBy === undefined };
        const record = await startOneCheck({ ...deps, newId }, connection, verb, selected);
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

  function requireCheckable(action: 'check' | 'reconnect', mailbox: Tagged<Mailbox>): void {
    const decision = decideAction({ id: '', action }, mailbox, deps.clock.now());
    if (decision.kind === 'skip') throw new DomainError('wrong_state', decision.message);
  }

  api.route({
    name: 'mailboxes-disconnect',
    method: 'POST',
    path: `${PATH}/disconnect`,
    tag: 'Mailboxes',
    summary: 'Disconnect a mailbox',
    description:
      'Gives its slot back. A check that it waits for is cancelled, and counts as cancelled in its import. The mailbox and its findings stay. Disconnecting it again changes nothing.',
    refusals: ['precondition_failed'],
    responses: mailboxAnswer,
    permission: 'manage',
    async handle({ actor, params, newId, requireMatch }) {
      const connection = await requireConnection(deps, actor, params.connectionId ?? '');
      const address = params.address ?? '';
      await endMailbox({ ...deps, newId }, connection, 'disconnect', address, async (current) =>
        requireMatch(await presentOneMailbox(deps, connection, current)),
      );
      return answer(connection, (await requireMailbox(deps, connection.id, address)).value);
    },
  });

  api.route({
    name: 'mailboxes-remove',
    method: 'DELETE',
    path: PATH,
    tag: 'Mailboxes',
    summary: 'Remove a mailbox',
    description:
      'Gives its slot back and deletes what is stored about it. A check that it waits for is cancelled. Rows of imports keep the address until they are deleted.',
    responses: { 204: { description: 'The mailbox is removed.' } },
    permission: 'manage',
    async handle({ actor, params, newId, requireMatch }) {
      const connection = await requireConnection(deps, actor, params.connectionId ?? '');
      await endMailbox({ ...deps, newId }, connection, 'remove', params.address ?? '', async (current) =>
        requireMatch(await presentOneMailbox(deps, connection, current)),
      );
      return { status: 204 };
    },
  });
}
