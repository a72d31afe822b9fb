import type { z } from 'zod';
import { pageOf } from '../../../shared/edge/answers/response-fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { readTimerStates, type TimerStateDeps } from '../../../shared/health/timers.ts';
import { listStalledImports } from '../../../shared/operations/list-stalled.ts';
import type { OpenImportDeps, OpenImportState } from '../../../shared/operations/open-imports.ts';
import { type QueueStateDeps, readQueueStates } from '../../../shared/operations/queue-states.ts';
import { heartbeatListSchema, queueListSchema, stalledImportSchema } from './operation-schemas.ts';
import { addPoisonRoutes, type PoisonRouteDeps } from './poison-messages.ts';

interface Deps
  extends Omit<EndpointDeps, 'clock'>,
    QueueStateDeps,
    OpenImportDeps,
    Omit<TimerStateDeps, 'clock'>,
    Omit<PoisonRouteDeps, 'clock'> {
  poisonArchive: QueueStateDeps['poisonArchive'] & PoisonRouteDeps['poisonArchive'];
  imports: OpenImportDeps['imports'] & PoisonRouteDeps['imports'];
  ledger: PoisonRouteDeps['ledger'];
  clock: EndpointDeps['clock'];
}

/** What operators see of the inside. None of it is a customer's, so no customer is named. */
export function addOperationRoutes(api: Api, deps: Deps): void {
  api.route({
    name: 'operations-queues-list',
    method: 'GET',
    path: 'v1/operations/queues',
    tag: 'Operations',
    summary: 'List the queues with their depth, poison messages and age',
    responses: { 200: { description: 'All queues.', schema: queueListSchema } },
    permission: 'operate',
    customer: 'none',
    async handle() {
      const states = await readQueueStates(deps);
      const items = states.map(({ oldestAgeSeconds = null, ...state }) => ({ ...state, oldestAgeSeconds }));
      return { jsonBody: { items } satisfies z.infer<typeof queueListSchema> };
    },
  });

  api.route({
    name: 'operations-imports-list',
    method: 'GET',
    path: 'v1/operations/imports',
    tag: 'Operations',
    summary: 'List the imports that make no progress',
    description:
      'Unfinished imports of which nothing has moved for 15 minutes (`IMPORT_STALLED_AFTER`). Not those that are paused, or that wait for a time that Microsoft has named. Actions on mailboxes and re-verifications count as imports here: their IDs begin with `act_`, and `GET /v1/mailbox-actions/{actionId}` shows them. A page can be short or empty although more follow: continue while there is a `nextCursor`.',
    responses: { 200: { description: 'One page of imports.', schema: pageOf(stalledImportSchema) } },
    permission: 'operate',
    customer: 'none',
    list: true,
    handle: async ({ page, answerPage }) => answerPage(await listStalledImports(deps, page), presentStalled),
  });

  api.route({
    name: 'operations-heartbeats-list',
    method: 'GET',
    path: 'v1/operations/heartbeats',
    tag: 'Operations',
    summary: 'List when each timer last completed a run',
    responses: { 200: { description: 'Every timer, also those that never ran.', schema: heartbeatListSchema } },
    permission: 'operate',
    customer: 'none',
    async handle() {
      const items = (await readTimerStates(deps)).map(({ timer, ranAt, dueAt, isLate }) => ({
        timer,
        lastRanAt: ranAt?.toISOString() ?? null,
        dueAt: dueAt?.toISOString() ?? null,
        isLate,
      }));
      return { jsonBody: { items } satisfies z.infer<typeof heartbeatListSchema> };
    },
  });

  addPoisonRoutes(api, deps);
}

function presentStalled({ record, silentSince }: OpenImportState): z.infer<typeof stalledImportSchema> {
  const { id, customerId, connectionId, status, createdAt } = record;
  return {
    id,
    customerId,
    connectionId,
    status,
    silentSince: silentSince.toISOString(),
    createdAt: createdAt.toISOString(),
  };
}
