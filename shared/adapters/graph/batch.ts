import type { Refusal } from '../../causes/refusal.ts';
import type { Secret } from '../../kernel/secret.ts';
import { cutCode, refused } from '../refused.ts';
import { readRetryAfter } from '../retry-after.ts';
import type { GraphVersion, PostBatch } from './graph-client.ts';

/** One request within a batch. URLs are relative to the API version. */
export interface BatchPart {
  id: string;
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  url: string;
  headers?: Record<string, string>;
  body?: unknown;
}

export type PartAnswer =
  | { kind: 'accepted'; status: number; body: unknown; requestId?: string }
  | { kind: 'refused'; refusal: Refusal }
  | { kind: 'lost'; requestId?: string };

interface WirePart {
  id?: unknown;
  status?: unknown;
  headers?: Record<string, unknown> | null;
  body?: unknown;
}

/** Sends up to 20 requests as one HTTP request. Resolves to an answer for each part, and never rejects. */
export type SendBatch = (
  graphUrl: string,
  token: Secret,
  parts: readonly BatchPart[],
) => Promise<Map<string, PartAnswer>>;

/**
 * Sends batches through Microsoft's client. It is loaded for the first batch, because most functions need none.
 * https://learn.microsoft.com/graph/json-batching
 */
export function createSendBatch(options: { timeoutMs: number; now: () => Date; version?: GraphVersion }): SendBatch {
  const posts = new Map<string, PostBatch>();
  const postTo = async (graphUrl: string) => {
    const { createPostBatch } = await import('./graph-client.ts');
    const post = posts.get(graphUrl) ?? createPostBatch(graphUrl, options.version ?? 'v1.0');
    posts.set(graphUrl, post);
    return post;
  };

  return async (graphUrl, token, parts) => {
    const all = (answer: PartAnswer) => new Map(parts.map((part) => [part.id, answer]));
    const post = await postTo(graphUrl);
    let response: Response;
    let text: string;
    try {
      response = await post(token, parts, AbortSignal.timeout(options.timeoutMs));
      text = await response.text();
    } catch {
      // No connection, a lost connection or a timeout. Microsoft may have carried out the requests.
      return all({ kind: 'lost' });
    }
    const requestId = idOf(response.headers.get('request-id'));
    const body = parseJson(text);
    if (response.status !== 200) {
      const refusal = toRefusal(response.status, body, requestId, response.headers.get('retry-after'), options.now());
      return all({ kind: 'refused', refusal });
    }
    const answers = partsOf(body);
    if (!answers) return all(lost(requestId));
    return new Map(
      parts.map((part) => {
        const answer = answers.find((candidate) => String(candidate.id) === part.id);
        return [part.id, answer ? readPart(answer, requestId, options.now()) : lost(requestId)];
      }),
    );
  };
}

function readPart(part: WirePart, outerId: string | undefined, now: Date): PartAnswer {
  const status = Number(part.status);
  const headers = new Map(
    Object.entries(part.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]),
  );
  const requestId = idOf(headers.get('request-id')) ?? outerId;
  if (!Number.isInteger(status) || status < 200) return lost(requestId);
  if (status < 300) return { kind: 'accepted', status, body: part.body, ...(requestId !== undefined && { requestId }) };
  return { kind: 'refused', refusal: toRefusal(status, part.body, requestId, headers.get('retry-after') ?? null, now) };
}

/**
 * Reads Graph's error envelope leniently: the code, more precise inner codes, and the request ID from either place.
 * https://learn.microsoft.com/graph/errors
 */
export function toRefusal(
  status: number,
  body: unknown,
  outerId: string | undefined,
  retryAfter: string | null,
  now: Date,
): Refusal {
  const error = asObject(asObject(body)?.error);
  const inner = asObject(error?.innerError ?? error?.innererror);
  const requestId = textOf(inner?.['request-id']) ?? outerId;
  const retryAfterSeconds = readRetryAfter(retryAfter, now);
  return refused({
    service: 'graph',
    status,
    code: textOf(error?.code) ?? '',
    ...innermostCode(inner),
    message: textOf(error?.message) ?? '',
    ...(requestId !== undefined && { requestId }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  });
}

/** Errors can be nested. The innermost code is the most precise. */
function innermostCode(inner: Record<string, unknown> | undefined): { innerCode?: string } {
  const deeper = asObject(inner?.innerError ?? inner?.innererror);
  const innerCode = textOf(inner?.code);
  // Some services repeat the HTTP status here.
  const isCode = innerCode !== undefined && !/^\d+$/.test(innerCode);
  return { ...(isCode && { innerCode }), ...(deeper && innermostCode(deeper)) };
}

function lost(requestId: string | undefined): PartAnswer {
  return { kind: 'lost', ...(requestId !== undefined && { requestId }) };
}

/** An accepted request has an ID, too. It is stored with the finding. */
export function idOf(header: string | null | undefined): string | undefined {
  return header ? cutCode(header) : undefined;
}

function partsOf(body: unknown): WirePart[] | undefined {
  const responses = asObject(body)?.responses;
  return Array.isArray(responses)
    ? responses.filter((part): part is WirePart => asObject(part) !== undefined)
    : undefined;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
