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

/** Calls the REST API with one key, for the demo and the end-to-end tests. Shares no code with the app. */
export interface ApiClient {
  call<Body = Record<string, unknown>>(method: string, path: string, call?: ApiCall): Promise<ApiAnswer<Body>>;
  /** Like `call`, but rejects every other status, with the response in the message. */
  expect<Body = Record<string, unknown>>(status: number, method: string, path: string, call?: ApiCall): Promise<Body>;
  /** The same API with another key, or acting for a customer. */
  as(key: string, customerId?: string): ApiClient;
}

export function createApiClient(apiUrl: string, key: string | undefined, customerId?: string): ApiClient {
  async function call<Body>(method: string, path: string, options: ApiCall = {}): Promise<ApiAnswer<Body>> {
    const { body } = options;
    const isRaw = typeof body === 'string' || body instanceof Uint8Array || body instanceof FormData;
    const contentType = options.contentType ?? (isRaw || body === undefined ? undefined : 'application/json');
    const response = await fetch(new URL(path, apiUrl), {
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
    as: (otherKey, otherCustomerId) => createApiClient(apiUrl, otherKey, otherCustomerId),
  };
}
