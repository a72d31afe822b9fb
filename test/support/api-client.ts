import type { Fetch } from '../../clients/typescript/src/index.ts';

/** A response of the API. `body` is the parsed JSON, or an empty object if the response is not JSON. */
export interface ApiAnswer<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
  text: string;
}

export interface ApiCall {
  /** Sent as JSON, except for bytes, text and forms, which are sent unchanged with `contentType`. */
  body?: unknown;
  contentType?: string;
  headers?: Record<string, string>;
}

/** Sends requests that the typed client does not make: malformed ones, and those whose refusal is the point. Never retries. */
export interface ApiClient {
  call<Body = Record<string, unknown>>(method: string, path: string, call?: ApiCall): Promise<ApiAnswer<Body>>;
  /** Like `call`, but rejects every other status, with the response in the message. */
  expect<Body = Record<string, unknown>>(status: number, method: string, path: string, call?: ApiCall): Promise<Body>;
  /** The same API with another key, or acting for a customer. */
  as(key: string, customerId?: string): ApiClient;
}

export function createApiClient(apiUrl: string, key: string | undefined, fetch: Fetch, customerId?: string): ApiClient {
  async function call<Body>(method: string, path: string, options: ApiCall = {}): Promise<ApiAnswer<Body>> {
    const { body } = options;
    const isRaw = typeof body === 'string' || body instanceof Uint8Array || body instanceof FormData;
    const contentType = options.contentType ?? (isRaw || body === undefined ? undefined : 'application/json');
    const request = new Request(new URL(path, apiUrl), {
      method,
      headers: {
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(customerId !== undefined && { 'muster-customer': customerId }),
        ...(contentType !== undefined && { 'content-type': contentType }),
        ...options.headers,
      },
      ...(body !== undefined && {
        body: isRaw ? (body as string | Uint8Array<ArrayBuffer> | FormData) : JSON.stringify(body),
      }),
    });
    const response = await fetch(request);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') ?? false;
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : {}) as Body, text };
  }

  return {
    call,
    async expect<Body>(status: number, method: string, path: string, options?: ApiCall): Promise<Body> {
      const answer = await call<Body>(method, path, options);
      if (answer.status === status) return answer.body;
      throw new Error(`${method} ${path} answered ${answer.status} instead of ${status}: ${answer.text}`);
    },
    as: (otherKey, otherCustomerId) => createApiClient(apiUrl, otherKey, fetch, otherCustomerId),
  };
}
