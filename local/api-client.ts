/** An answer of the API, with its body as JSON where it is JSON. */
export interface ApiAnswer<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
  text: string;
}

export interface ApiCall {
  /** Sent as JSON unless it is bytes or text, which go out as they are with `contentType`. */
  body?: unknown;
  contentType?: string;
  headers?: Record<string, string>;
}

/** A caller of the REST API with one key: what the demo and the end-to-end tests use, with nothing of ours in between. */
export interface ApiClient {
  call<Body = Record<string, unknown>>(method: string, path: string, call?: ApiCall): Promise<ApiAnswer<Body>>;
  /** As `call`, but refuses every status other than the one expected, saying what came instead. */
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
      throw new Error(`${method} ${path} answered ${answer.status}, not ${status}: ${answer.text}`);
    },
    as: (otherKey, otherCustomerId) => createApiClient(apiUrl, otherKey, otherCustomerId),
  };
}
