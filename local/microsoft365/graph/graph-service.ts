import type { Answered, SimulatorRequest } from '../http.ts';
import { pathSegments } from '../router.ts';
import type { World } from '../world.ts';
import { answerBatch } from './batch.ts';
import { authenticate, type Caller } from './caller.ts';
import { createRequestIds, type GraphCall, type RequestIds } from './graph-call.ts';
import { answerGraphCall } from './graph-routes.ts';
import { randomLoss } from './random-faults.ts';
import { parseBody } from './request-body.ts';
import { commonHeaders, type GraphResponse } from './responses.ts';

const prefix = /^\/(v1\.0|beta)(?=\/)/;

export const isGraphPath = (path: string): boolean => prefix.test(path);

/** Answers one HTTP request to Graph. The token is checked first. */
export async function answerGraphRequest(world: World, request: SimulatorRequest): Promise<Answered> {
  const path = request.path.replace(prefix, '');
  const ids = createRequestIds((name) => request.header(name));
  const call: GraphCall = {
    method: request.method,
    path,
    query: request.query,
    header: (name) => request.header(name),
    body: parseBody(request.body.toString('utf8'), request.header('content-type')),
    isBeta: request.path.startsWith('/beta/'),
    ...ids,
  };
  const isBatch = /^\/(\$|%24)batch$/i.test(path);
  const authenticated = await authenticate(world, request.header('authorization'), ids);
  if ('refused' in authenticated) {
    const route = isBatch ? '/v1.0/$batch' : `/v1.0/${pathSegments(path)[0] ?? ''}`;
    return { reply: addCommonHeaders(authenticated.refused, ids), trace: { service: 'graph', route } };
  }
  const { caller } = authenticated;
  const loss = randomLoss(caller.tenant);
  const { response, trace } =
    loss === 'before'
      ? { response: nothing, trace: traceOf(caller, isBatch ? '/v1.0/$batch' : '/v1.0/(lost)') }
      : isBatch
        ? { response: await answerBatch(world, caller, call), trace: traceOf(caller, '/v1.0/$batch') }
        : await answerGraphCall(world, caller, call);
  const noReply = loss ? 'drop' : response.noReply;
  return { reply: { ...addCommonHeaders(response, ids), noReply }, trace };
}

const nothing: GraphResponse = { status: 0, headers: {} };

function traceOf({ tenant, app }: Caller, route: string) {
  return { service: 'graph', route, tenantId: tenant.id, clientId: app.scenario.clientId };
}

function addCommonHeaders({ status, headers, body }: GraphResponse, ids: RequestIds) {
  return { status, headers: { ...commonHeaders(ids), ...headers }, body };
}
