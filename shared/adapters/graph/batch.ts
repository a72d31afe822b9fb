import { Client, HTTPMessageHandler, ResponseType } from '@microsoft/microsoft-graph-client';
import type { Refusal } from '../../causes/refusal.ts';
import type { Secret } from '../../kernel/secret.ts';
import { readRetryAfter } from '../retry-after.ts';

/** One question within a batch. Paths are relative to the version, as Graph's batches have them. */
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

/** Sends up to 20 questions as one HTTP request and gives every one an answer, whatever came back. Never rejects. */
export type SendBatch = (
  graphUrl: string,
  token: Secret,
  parts: readonly BatchPart[],
) => Promise<Map<string, PartAnswer>>;

/**
 * A batch through Microsoft's own client, without its retry handler: waiting happens on the queue, and each request is
 * counted once. https://learn.microsoft.com/graph/json-batching
 */
export function createSendBatch(options: { timeoutMs: number; now: () => Date }): SendBatch {
  const clients = new Map<string, Client>();
  const clientOf = (graphUrl: string) => {
    let client = clients.get(graphUrl);
    if (!client) {
      client = Client.initWithMiddleware({
        middleware: new HTTPMessageHandler(),
        baseUrl: `${graphUrl.replace(/\/$/, '')}/`,
        defaultVersion: 'v1.0',
        customHosts: new Set([new URL(graphUrl).hostname]),
      });
      clients.set(graphUrl, client);
    }
    return client;
  };

  return async (graphUrl, token, parts) => {
    const all = (answer: PartAnswer) => new Map(parts.map((part) => [part.id, answer]));
    let response: Response;
    let text: string;
    try {
      response = (await clientOf(graphUrl)
        .api('/$batch')
        .header('Authorization', `Bearer ${token.reveal()}`)
        .responseType(ResponseType.RAW)
        .options({ signal: AbortSignal.timeout(options.timeoutMs) })
        .post({ requests: parts })) as Response;
      text = await response.text();
    } catch {
      // No connection, a broken one, or no end in sight: what was asked for may have been done.
      return all({ kind: 'lost' });
    }
    const requestId = response.headers.get('request-id') ?? undefined;
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
  const requestId = headers.get('request-id') ?? outerId;
  if (!Number.isInteger(status) || status < 200) return lost(requestId);
  if (status < 300) return { kind: 'accepted', status, body: part.body, ...(requestId !== undefined && { requestId }) };
  return { kind: 'refused', refusal: toRefusal(status, part.body, requestId, headers.get('retry-after') ?? null, now) };
}

/**
 * Reads Graph's error envelope leniently: the code, more precise codes inside it, and the request id, wherever it is.
 * https://learn.microsoft.com/graph/errors
 */
function toRefusal(
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
  return {
    service: 'graph',
    status,
    code: textOf(error?.code) ?? '',
    ...innermostCode(inner),
    message: (textOf(error?.message) ?? '').slice(0, 1000),
    ...(requestId !== undefined && { requestId }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
}

/** Errors may lie within errors; the innermost code says it best. */
function innermostCode(inner: Record<string, unknown> | undefined): { innerCode?: string } {
  const deeper = asObject(inner?.innerError ?? inner?.innererror);
  const innerCode = textOf(inner?.code);
  // Some repeat the HTTP status there.
  const isCode = innerCode !== undefined && !/^\d+$/.test(innerCode);
  return { ...(isCode && { innerCode }), ...(deeper && innermostCode(deeper)) };
}

function lost(requestId: string | undefined): PartAnswer {
  return { kind: 'lost', ...(requestId !== undefined && { requestId }) };
}

function partsOf(body: unknown): WirePart[] | undefined {
  const responses = asObject(body)?.responses;
  return Array.isArray(responses)
    ? responses.filter((part): part is WirePart => asObject(part) !== undefined)
    : undefined;
}

function parseJson(text: string): unknown {
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
