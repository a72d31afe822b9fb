import type { z } from 'zod';
import { pageOf } from '../../../shared/edge/answers/response-fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import {
  DECIDED_MAX,
  type DecidedAll,
  type DecidePoisonDeps,
  discardAll,
  discardOne,
  requeueAll,
  requeueOne,
  requireQueue,
} from '../../../shared/operations/decide-poison.ts';
import type { PoisonArchive, PoisonedMessage } from '../../../shared/operations/poison-archive.ts';
import { textOf } from '../../../shared/operations/poison-owner.ts';
import {
  discardedAllSchema,
  discardedSchema,
  poisonMessageSchema,
  requeuedAllSchema,
  requeuedSchema,
} from './operation-schemas.ts';

export interface PoisonRouteDeps extends Omit<EndpointDeps, 'clock'>, DecidePoisonDeps {
  poisonArchive: DecidePoisonDeps['poisonArchive'] & Pick<PoisonArchive, 'list'>;
  clock: EndpointDeps['clock'];
}

const AT_MOST = `Decides about ${DECIDED_MAX} messages at most. Send the request again with \`cursor\` while the answer has a \`nextCursor\`.`;
const REQUEUES =
  'Its work begins again, so do this after the fix. A `check-mailbox` message opens its row again: an import that has ended runs again until the row has its verdict, and its end is announced once more. A repeated request does nothing.';

/** The poison messages of a queue, and what operators can do about them. */
export function addPoisonRoutes(api: Api, deps: PoisonRouteDeps): void {
  api.route({
    name: 'operations-poison-list',
    method: 'GET',
    path: 'v1/operations/queues/{queue}/poison',
    tag: 'Operations',
    summary: 'List the poison messages of a queue',
    description:
      'Messages that could not be handled. The work of each is settled: a row has failed with `internal_error`, a delivery of an event has failed. A page can be short or empty although more follow: continue while there is a `nextCursor`.',
    responses: { 200: { description: 'One page of messages, ordered by ID.', schema: pageOf(poisonMessageSchema) } },
    permission: 'operate',
    customer: 'none',
    list: true,
    handle: async ({ params: { queue = '' }, page, answerPage }) =>
      answerPage(await deps.poisonArchive.list(requireQueue(queue), page), present),
  });

  api.route({
    name: 'operations-poison-requeue',
    method: 'POST',
    path: 'v1/operations/queues/{queue}/poison/{messageId}/requeue',
    tag: 'Operations',
    summary: 'Requeue a poison message',
    description: REQUEUES,
    refusals: ['slot_limit_reached'],
    responses: { 200: { description: 'What came of it.', schema: requeuedSchema } },
    permission: 'operate',
    customer: 'none',
    handle: async ({ params: { queue = '', messageId = '' } }) => ({
      jsonBody: { result: await requeueOne(deps, requireQueue(queue), messageId) },
    }),
  });

  api.route({
    name: 'operations-poison-discard',
    method: 'POST',
    path: 'v1/operations/queues/{queue}/poison/{messageId}/discard',
    tag: 'Operations',
    summary: 'Discard a poison message',
    description: 'Its work stays as it was settled. A repeated request does nothing.',
    responses: { 200: { description: 'What came of it.', schema: discardedSchema } },
    permission: 'operate',
    customer: 'none',
    handle: async ({ params: { queue = '', messageId = '' } }) => ({
      jsonBody: { result: await discardOne(deps, requireQueue(queue), messageId) },
    }),
  });

  api.route({
    name: 'operations-poison-requeue-all',
    method: 'POST',
    path: 'v1/operations/queues/{queue}/poison/requeue',
    tag: 'Operations',
    summary: 'Requeue all poison messages of a queue',
    description: `${REQUEUES} ${AT_MOST}`,
    responses: { 200: { description: 'What came of them.', schema: requeuedAllSchema } },
    permission: 'operate',
    customer: 'none',
    continues: true,
    async handle({ params: { queue = '' }, page, sealCursor }) {
      const {
        decided: requeued,
        nothingToDo,
        noSlot,
        ...more
      } = await requeueAll(deps, requireQueue(queue), page.cursor);
      return { jsonBody: { requeued, nothingToDo, noSlot, ...presentMore(more, sealCursor) } };
    },
  });

  api.route({
    name: 'operations-poison-discard-all',
    method: 'POST',
    path: 'v1/operations/queues/{queue}/poison/discard',
    tag: 'Operations',
    summary: 'Discard all poison messages of a queue',
    description: `Their work stays as it was settled. ${AT_MOST}`,
    responses: { 200: { description: 'What came of them.', schema: discardedAllSchema } },
    permission: 'operate',
    customer: 'none',
    continues: true,
    async handle({ params: { queue = '' }, page, sealCursor }) {
      const { decided: discarded, nothingToDo, ...more } = await discardAll(deps, requireQueue(queue), page.cursor);
      return { jsonBody: { discarded, nothingToDo, ...presentMore(more, sealCursor) } };
    },
  });
}

function presentMore({ hasMore, cursor }: Pick<DecidedAll, 'hasMore' | 'cursor'>, seal: (inner: string) => string) {
  return { hasMore, ...(cursor !== undefined && { nextCursor: seal(cursor) }) };
}

function present(entry: PoisonedMessage): z.infer<typeof poisonMessageSchema> {
  const { key: id, message, error, isMalformed, archivedAt, state } = entry;
  return {
    id,
    cause: isMalformed ? 'message_malformed' : error === undefined ? 'process_ended' : 'failed',
    error: error ?? null,
    importId: textOf(message, 'importId') ?? null,
    customerId: textOf(message, 'customerId') ?? null,
    connectionId: textOf(message, 'connectionId') ?? null,
    state: state === 'requeuing' ? 'requeuing' : 'open',
    archivedAt: archivedAt.toISOString(),
    message,
  };
}
