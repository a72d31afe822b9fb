import type { Answered, SimulatorRequest } from '../http.ts';
import { pathSegments } from '../router.ts';
import type { World } from '../world.ts';
import { commonHeaders, type GraphAnswer, type GraphCall, idsOf } from './answers.ts';
import { answerBatch } from './batch.ts';
import { authenticate, type Caller } from './caller.ts';
import { answerGraphCall } from './graph-calls.ts';
import { bodyOf } from './request-body.ts';
import { lossByChance } from './throttling.ts';

const prefix = /^\/(v1\.0|beta)(?=\/)/;

export const isGraphPath = (path: string): boolean => prefix.test(path);

/** One HTTP request to Graph: the token first, then whatever it asks for. */
export async function answerGraphRequest(world: World, request: SimulatorRequest): Promise<Answered> {
  const path = request.path.replace(prefix, '');
  const ids = idsOf((name) => request.header(name));
  const call: GraphCall = {
    method: request.method,
    path,
    query: request.query,
    header: (name) => request.header(name),
    body: bodyOf(request.body.toString('utf8'), request.header('content-type')),
    ...ids,
  };
  const isBatch = /^\/(\$|%24)batch$/i.test(path);
  const known = await authenticate(world, request.header('authorization'), ids);
  if ('refused' in known) {
    const route = isBatch ? '/v1.0/$batch' : `/v1.0/${pathSegments(path)[0] ?? ''}`;
    return { reply: complete(known.refused, ids), trace: { service: 'graph', route } };
  }
  const { caller } = known;
  const loss = lossByChance(caller.tenant);
  const { answer, trace } =
    loss === 'before'
      ? { answer: lost, trace: traceOf(caller, isBatch ? '/v1.0/$batch' : '/v1.0/(lost)') }
      : isBatch
        ? { answer: await answerBatch(world, caller, call), trace: traceOf(caller, '/v1.0/$batch') }
        : await answerGraphCall(world, caller, call);
  const { fate } = answer;
  return { reply: { ...complete(answer, ids), ...(loss ? { fate: 'drop' } : fate ? { fate } : {}) }, trace };
}

const lost: GraphAnswer = { status: 0, headers: {} };

function traceOf({ tenant, app }: Caller, route: string) {
  return { service: 'graph', route, tenantId: tenant.id, clientId: app.scenario.clientId };
}

function complete(answer: GraphAnswer, ids: { requestId: string; clientRequestId: string }) {
  return { status: answer.status, headers: { ...commonHeaders(ids), ...answer.headers }, body: answer.body };
}
