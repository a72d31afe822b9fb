import type { Fetch } from '../../clients/typescript/src/index.ts';

/** What a fake server answers: a response, or an error in place of one. */
export type FakeAnswer = Response | Error | ((request: Request) => Response | Promise<Response>);

export interface ReceivedRequest {
  method: string;
  path: string;
  headers: Headers;
  text: string;
  /** Milliseconds since the first request. */
  afterMs: number;
}

/** A `fetch` that gives these answers in turn, and records what it received. Like the real one, it obeys the signal. */
export function answeringFetch(...answers: FakeAnswer[]): { fetch: Fetch; received: ReceivedRequest[] } {
  const received: ReceivedRequest[] = [];
  let startedAt: number | undefined;
  async function fetch(request: Request): Promise<Response> {
    request.signal.throwIfAborted();
    startedAt ??= Date.now();
    const { pathname, search } = new URL(request.url);
    received.push({
      method: request.method,
      path: pathname + search,
      headers: request.headers,
      text: await request.text(),
      afterMs: Date.now() - startedAt,
    });
    const answer = answers.shift();
    if (answer === undefined) throw new Error(`unexpected request: ${request.method} ${pathname}`);
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? answer(request) : answer;
  }
  return { fetch, received };
}

export function jsonAnswer(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json', ...headers } });
}

export function problemAnswer(
  status: number,
  code: string | undefined,
  headers: Record<string, string> = {},
  more = {},
) {
  const problem = { type: 'about:blank', title: 'A problem', status, code, requestId: 'req-1', ...more };
  return jsonAnswer(problem, status, { 'content-type': 'application/problem+json', ...headers });
}

/** What `fetch` rejects with when the connection breaks. */
export const networkError = () => new TypeError('fetch failed', { cause: new Error('ECONNRESET') });
