import { z } from 'zod';
import type { World } from '../world.ts';
import type { Caller } from './caller.ts';
import { createRequestIds, type GraphBody, type GraphCall } from './graph-call.ts';
import { answerGraphCall, isMailCall } from './graph-routes.ts';
import { frontDoorError, type GraphResponse, plainJson } from './responses.ts';

const PARTS_MAX = 20;
/**
 * Graph runs at most four Outlook parts of a batch at a time, and parts that the directory answers beside them.
 * https://learn.microsoft.com/graph/throttling-limits
 */
const OUTLOOK_PARTS_MAX = 4;

const batchBody = z.object({
  requests: z.array(
    z.object({
      id: z.string().min(1),
      method: z.string(),
      url: z.string(),
      headers: z.record(z.string(), z.string()).optional(),
      body: z.unknown().optional(),
      dependsOn: z.array(z.string()).optional(),
    }),
  ),
});

type Part = z.infer<typeof batchBody>['requests'][number];
type PartResponse = { id: string; response: GraphResponse };

/** `POST /$batch`. The batch is 200 even if parts fail. The parts' responses come in no particular order. */
export async function answerBatch(world: World, caller: Caller, call: GraphCall): Promise<GraphResponse> {
  const parts = readParts(call, caller.tenant.scenario.refusesBodilessParts);
  if (typeof parts === 'string') return frontDoorError(call, 400, 'BadRequest', parts);
  const responses = await runAll(world, caller, parts, call.isBeta);
  const noReply = responses.find(({ response }) => response.noReply)?.response.noReply;
  return {
    status: 200,
    headers: { 'Content-Type': plainJson },
    body: { responses: reordered(responses).map(presentPart) },
    ...(noReply ? { noReply } : {}),
  };
}

const writeMethods = /^(POST|PATCH|PUT)$/i;

/** The parts of a valid batch, or Graph's message for an invalid one. */
function readParts(call: GraphCall, refusesBodiless: boolean): Part[] | string {
  if (call.body.kind === 'none') return 'Empty Payload. JSON content expected.';
  const read = batchBody.safeParse(call.body.kind === 'json' ? call.body.value : undefined);
  if (!read.success) return 'Invalid batch payload format.';
  const parts = read.data.requests;
  if (parts.length > PARTS_MAX) {
    return `Number of batch request steps exceeds the maximum value of ${PARTS_MAX}.`;
  }
  const ids = new Set<string>();
  for (const { id } of parts) {
    // To Graph, `a` and `A` are the same id.
    if (ids.has(id.toLowerCase())) return `Request Id ${id} has to be unique in a batch.`;
    ids.add(id.toLowerCase());
  }
  for (const { id, method, body, headers, dependsOn } of parts) {
    const hasType = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'content-type');
    const hasBody = body !== undefined && body !== null;
    const needsBoth = refusesBodiless && writeMethods.test(method);
    if ((hasBody && !hasType) || (needsBoth && !(hasBody && hasType))) {
      return `Write request id : ${id} does not contain Content-Type header or body.`;
    }
    const unknown = dependsOn?.find((name) => name === id || !parts.some((other) => other.id === name));
    if (unknown !== undefined) return `Request id ${id} depends on ${unknown}, which is not in the batch.`;
  }
  return parts;
}

async function runAll(world: World, caller: Caller, parts: Part[], isBeta: boolean): Promise<PartResponse[]> {
  const waiting = new Set(parts);
  const statuses = new Map<string, number>();
  const responses: PartResponse[] = [];
  const finish = (part: Part, response: GraphResponse) => {
    statuses.set(part.id, response.status);
    responses.push({ id: part.id, response });
  };
  const outlookParts = new Set(parts.filter(({ method, url }) => isMailCall(method.toUpperCase(), splitUrl(url)[0])));
  let outlookRunning = 0;
  const mayRun = (part: Part) =>
    (part.dependsOn ?? []).every((id) => statuses.has(id)) &&
    (!outlookParts.has(part) || outlookRunning < OUTLOOK_PARTS_MAX);
  const running = new Set<Promise<void>>();
  while (waiting.size > 0 || running.size > 0) {
    const part = parts.find((one) => waiting.has(one) && mayRun(one));
    if (!part) {
      // Parts that depend on each other would wait forever.
      if (running.size === 0) for (const stuck of waiting) finish(stuck, failedDependency());
      if (running.size === 0) break;
      await Promise.race(running);
      continue;
    }
    waiting.delete(part);
    if ((part.dependsOn ?? []).some((id) => (statuses.get(id) ?? 500) >= 400)) {
      finish(part, failedDependency());
      continue;
    }
    const outlookShare = outlookParts.has(part) ? 1 : 0;
    outlookRunning += outlookShare;
    const run = runPart(world, caller, part, isBeta)
      .then((response) => finish(part, response))
      .finally(() => {
        outlookRunning -= outlookShare;
        running.delete(run);
      });
    running.add(run);
  }
  return responses;
}

async function runPart(world: World, caller: Caller, part: Part, isBeta: boolean): Promise<GraphResponse> {
  const headers = new Map(Object.entries(part.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const header = (name: string) => headers.get(name.toLowerCase());
  const [path, search] = splitUrl(part.url);
  const body: GraphBody =
    part.body === undefined || part.body === null ? { kind: 'none' } : { kind: 'json', value: part.body };
  const method = part.method.toUpperCase();
  const ids = createRequestIds(header);
  const call: GraphCall = { method, path, query: new URLSearchParams(search), header, body, isBeta, ...ids };
  const { response, trace } = await answerGraphCall(world, caller, call);
  world.requests.log(method, response.noReply ? 0 : response.status, trace, true);
  const idHeaders = { 'request-id': ids.requestId, 'client-request-id': ids.clientRequestId };
  return { ...response, headers: { ...idHeaders, ...response.headers } };
}

function splitUrl(url: string): [path: string, search: string] {
  const relative = url.startsWith('/') ? url : `/${url}`;
  const mark = relative.indexOf('?');
  return mark < 0 ? [relative, ''] : [relative.slice(0, mark), relative.slice(mark + 1)];
}

function failedDependency(): GraphResponse {
  return {
    status: 424,
    headers: { 'Content-Type': plainJson },
    body: { error: { code: 'FailedDependency', message: 'A request that this one depends on has failed.' } },
  };
}

function presentPart({ id, response }: PartResponse): object {
  return { id, status: response.status, headers: response.headers, body: response.body ?? null };
}

/** Moves the first response to the end, so that a client which relies on the order of its requests fails. */
function reordered(responses: PartResponse[]): PartResponse[] {
  return responses.length > 1 ? [...responses.slice(1), ...responses.slice(0, 1)] : responses;
}
