import type { Secret } from '../../kernel/secret.ts';
import { idOf, type PartAnswer, parseJson, toRefusal } from './batch.ts';

/** Sends one GET. `url` is Microsoft's own link, or a path after the API version. Never rejects. */
export type GetJson = (graphUrl: string, token: Secret, url: string) => Promise<PartAnswer>;

/** A page of 999 users has about half a megabyte. */
const BODY_MAX_BYTES = 32 * 1024 * 1024;

/**
 * GET requests to Graph, one at a time, for pages that are too large for a batch. A link is followed exactly as Microsoft
 * has sent it, but only to Graph itself: the token must not go anywhere else.
 */
export function createGetJson(options: { timeoutMs: number; now: () => Date }): GetJson {
  return async (graphUrl, token, url) => {
    const target = URL.parse(url.startsWith('/') ? `${graphUrl.replace(/\/$/, '')}/v1.0${url}` : url);
    if (target?.origin !== new URL(graphUrl).origin) return { kind: 'lost' };
    let response: Response;
    let text: string;
    try {
      response = await fetch(target, {
        headers: {
          Authorization: `Bearer ${token.reveal()}`,
          Accept: 'application/json',
          // Microsoft may let other requests of the app go first.
          'x-ms-throttle-priority': 'Low',
        },
        redirect: 'error',
        signal: AbortSignal.timeout(options.timeoutMs),
      });
      text = await readText(response);
    } catch {
      return { kind: 'lost' };
    }
    const requestId = idOf(response.headers.get('request-id'));
    const body = parseJson(text);
    if (response.status === 200) {
      if (body === undefined) return { kind: 'lost', ...(requestId !== undefined && { requestId }) };
      return { kind: 'accepted', status: 200, body, ...(requestId !== undefined && { requestId }) };
    }
    const retryAfter = response.headers.get('retry-after');
    return { kind: 'refused', refusal: toRefusal(response.status, body, requestId, retryAfter, options.now()) };
  };
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > BODY_MAX_BYTES) throw new Error('the answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
