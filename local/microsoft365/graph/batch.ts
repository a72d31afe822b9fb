import { z } from 'zod';
import type { World } from '../world.ts';
import { frontDoorError, type GraphAnswer, type GraphBody, type GraphCall, idsOf } from './answers.ts';
import type { Caller } from './caller.ts';
import { answerGraphCall } from './graph-calls.ts';

const mostParts = 20;
/** Outlook's share of a batch runs four at a time. */
const atOnce = 4;

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
type PartAnswer = { id: string; answer: GraphAnswer };

/** `POST /$batch`: 200 even when parts fail, the answers in whatever order they were ready. */
export async function answerBatch(world: World, caller: Caller, call: GraphCall): Promise<GraphAnswer> {
  const parts = readParts(call, caller.tenant.scenario.refusesBodilessParts);
  if (typeof parts === 'string') return frontDoorError(call, 400, 'BadRequest', parts);
  const answers = await runAll(world, caller, parts);
  const fate = answers.find(({ answer }) => answer.fate)?.answer.fate;
  return {
    status: 200,
    headers: { 'Content-Type': 'application/json' },
    body: { responses: shuffled(answers).map(presentPart) },
    ...(fate ? { fate } : {}),
  };
}

const writes = /^(POST|PATCH|PUT)$/i;

function readParts(call: GraphCall, refusesBodiless: boolean): Part[] | string {
  if (call.body.kind === 'none') return 'Empty Payload. JSON content expected.';
  const read = batchBody.safeParse(call.body.kind === 'json' ? call.body.value : undefined);
  if (!read.success) return 'Invalid batch payload format.';
  const parts = read.data.requests;
  if (parts.length > mostParts) {
    return `Number of batch request steps exceeds the maximum value of ${mostParts}.`;
  }
  const seen = new Set<string>();
  for (const { id } of parts) {
    // Graph takes `a` and `A` for the same.
    if (seen.has(id.toLowerCase())) return `Request Id ${id} has to be unique in a batch.`;
    seen.add(id.toLowerCase());
  }
  for (const { id, method, body, headers, dependsOn } of parts) {
    const hasType = Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'content-type');
    const hasBody = body !== undefined && body !== null;
    const needsBoth = refusesBodiless && writes.test(method);
    if ((hasBody && !hasType) || (needsBoth && !(hasBody && hasType))) {
      return `Write request id : ${id} does not contain Content-Type header or body.`;
    }
    const unknown = dependsOn?.find((name) => name === id || !parts.some((other) => other.id === name));
    if (unknown !== undefined) return `Request id ${id} depends on ${unknown}, which is not in the batch.`;
  }
  return parts;
}

async function runAll(world: World, caller: Caller, parts: Part[]): Promise<PartAnswer[]> {
  const waiting = new Set(parts);
  const done = new Map<string, number>();
  const answers: PartAnswer[] = [];
  const finish = (part: Part, answer: GraphAnswer) => {
    done.set(part.id, answer.status);
    answers.push({ id: part.id, answer });
  };
  const next = (): Part | undefined => {
    for (const part of waiting) if ((part.dependsOn ?? []).every((id) => done.has(id))) return part;
    return undefined;
  };
  const underWay = new Set<Promise<void>>();
  while (waiting.size > 0 || underWay.size > 0) {
    const part = underWay.size < atOnce ? next() : undefined;
    if (!part) {
      // Parts that wait for each other would wait for ever.
      if (underWay.size === 0) for (const stuck of waiting) finish(stuck, failedDependency());
      if (underWay.size === 0) break;
      await Promise.race(underWay);
      continue;
    }
    waiting.delete(part);
    if ((part.dependsOn ?? []).some((id) => (done.get(id) ?? 500) >= 400)) {
      finish(part, failedDependency());
      continue;
    }
    const run = runPart(world, caller, part)
      .then((answer) => finish(part, answer))
      .finally(() => underWay.delete(run));
    underWay.add(run);
  }
  return answers;
}

async function runPart(world: World, caller: Caller, part: Part): Promise<GraphAnswer> {
  const lower = new Map(Object.entries(part.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const header = (name: string) => lower.get(name.toLowerCase());
  const [path = '', search = ''] = splitOnce(part.url);
  const body: GraphBody =
    part.body === undefined || part.body === null ? { kind: 'none' } : { kind: 'json', value: part.body };
  const method = part.method.toUpperCase();
  const call: GraphCall = { method, path, query: new URLSearchParams(search), header, body, ...idsOf(header) };
  const { answer, trace } = await answerGraphCall(world, caller, call);
  world.requests.log(method, answer.fate ? 0 : answer.status, trace, true);
  const ids = { 'request-id': call.requestId, 'client-request-id': call.clientRequestId };
  return { ...answer, headers: { ...ids, ...answer.headers } };
}

function splitOnce(url: string): [string, string] {
  const relative = url.startsWith('/') ? url : `/${url}`;
  const mark = relative.indexOf('?');
  return mark < 0 ? [relative, ''] : [relative.slice(0, mark), relative.slice(mark + 1)];
}

function failedDependency(): GraphAnswer {
  return {
    status: 424,
    headers: { 'Content-Type': 'application/json' },
    body: { error: { code: 'FailedDependency', message: 'A request that this one depends on has failed.' } },
  };
}

function presentPart({ id, answer }: PartAnswer): object {
  return { id, status: answer.status, headers: answer.headers, body: answer.body ?? null };
}

/** A client that reads the answers in the order of its requests is found out. */
function shuffled(answers: PartAnswer[]): PartAnswer[] {
  return answers.length > 1 ? [...answers.slice(1), ...answers.slice(0, 1)] : answers;
}
