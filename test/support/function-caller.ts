import {
  type HttpFunctionOptions,
  HttpRequest,
  HttpResponse,
  InvocationContext,
  type StorageQueueFunctionOptions,
  type TimerFunctionOptions,
} from '@azure/functions';
import type { AnswerCheck } from './openapi-check.ts';

export interface RequestOptions {
  key?: string;
  /** Sent as JSON, with its media type. */
  body?: unknown;
  /** Sent unchanged, instead of `body`. */
  raw?: string | Uint8Array | AsyncIterable<Uint8Array>;
  headers?: Record<string, string>;
}

interface LogLine {
  level: string;
  text: string;
}

type RegisteredRoute = HttpFunctionOptions & { name: string };

/** Collects the registered functions, and calls routes as the host would. */
export function createFunctionCaller() {
  const routes: RegisteredRoute[] = [];
  const queues: { name: string; queueName: string }[] = [];
  const timers: (TimerFunctionOptions & { name: string })[] = [];
  const logs: LogLine[] = [];
  let serial = 0;
  let check: AnswerCheck | undefined;
  return {
    /** From now on, every answer is held to the document. */
    checkAnswers(wanted: AnswerCheck): void {
      check = wanted;
    },
    routes,
    queues,
    timers,
    logs,
    host: {
      http: (name: string, options: HttpFunctionOptions) => void routes.push({ name, ...options }),
      storageQueue: <T>(name: string, { queueName }: StorageQueueFunctionOptions<T>) =>
        void queues.push({ name, queueName }),
      timer: (name: string, options: TimerFunctionOptions) => void timers.push({ name, ...options }),
    },
    async request(method: string, path: string, options: RequestOptions = {}): Promise<HttpResponse> {
      const url = new URL(path, 'https://api.test');
      const found = routes
        .filter((route) => route.methods?.some((one) => one === method))
        .map((route) => ({ route, params: match(route.route ?? '', url.pathname) }))
        .filter(({ params }) => params !== undefined)
        // The host prefers any other route to a catch-all, in whatever order they were registered.
        .toSorted((a, b) => Number(isCatchAll(a.route)) - Number(isCatchAll(b.route)))[0];
      if (!found?.params) throw new Error(`no route for ${method} ${path}`);

      return call(found.route, method, url, found.params, options, path);
    },
    /** Calls a route with parameters of any text but an empty one, and with a query such as `?limit=5`. */
    async requestWith(
      name: string,
      params: Record<string, string>,
      options: RequestOptions & { query?: string } = {},
    ): Promise<HttpResponse> {
      const route = routes.find((one) => one.name === name);
      if (!route) throw new Error(`no route ${name}`);
      const pathWith = (value: (name: string) => string) =>
        `/${route.route?.replaceAll(/\{(\w+)\}/g, (_, param: string) => value(param))}`;
      const path = pathWith((param) => encodeURIComponent((params[param] || ' ').toWellFormed()));
      const url = new URL(`https://api.test${path}${options.query ?? ''}`);
      // The document is looked up by the path as it would be with harmless parameters.
      return call(
        route,
        route.methods?.[0] ?? 'GET',
        url,
        params,
        options,
        pathWith(() => 'x'),
      );
    },
  };

  async function call(
    route: RegisteredRoute,
    method: string,
    url: URL,
    params: Record<string, string>,
    options: RequestOptions,
    path: string,
  ): Promise<HttpResponse> {
    const context = new InvocationContext({
      invocationId: `req-${++serial}`,
      functionName: route.name,
      logHandler: (level, ...texts) => void logs.push({ level, text: texts.map(String).join(' ') }),
    });
    const answer = await route.handler(toRequest(method, url, params, options), context);
    const response = answer instanceof HttpResponse ? answer : new HttpResponse(answer);
    const { status, headers } = response;
    const isStreamed = !(answer instanceof HttpResponse) && answer.body instanceof ReadableStream;
    const text = await (isStreamed ? response : response.clone()).text();
    check?.({ method, path, status, headers, text });
    // A stream cannot be cloned.
    return isStreamed ? new HttpResponse({ status, headers, body: text }) : response;
  }
}

function headersOf({ key, body, raw, headers }: RequestOptions): Record<string, string> {
  return {
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
    ...(body !== undefined && raw === undefined && { 'content-type': 'application/json' }),
    ...headers,
  };
}

function toRequest(method: string, url: URL, params: Record<string, string>, options: RequestOptions): HttpRequest {
  const { body, raw } = options;
  const content = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const headers = headersOf(options);
  if (content === undefined || typeof content === 'string' || content instanceof Uint8Array) {
    const bytes = content === undefined ? {} : { body: { bytes: Buffer.from(content) } };
    return new HttpRequest({ method, url: url.href, headers, params, ...bytes });
  }
  // As the library makes it when HTTP streaming is on; its public type leaves this field out.
  const init = { params, nativeRequest: new Request(url, { method, headers, body: content, duplex: 'half' }) };
  return new HttpRequest(init);
}

const isCatchAll = ({ route }: RegisteredRoute) => route?.includes('{*') ?? false;

function match(template: string, path: string): Record<string, string> | undefined {
  const names: string[] = [];
  const pattern = template.replace(/\{(\*?)(\w+)\}/g, (_, star: string, name: string) => {
    names.push(name);
    return star ? '(.*)' : '([^/]+)';
  });
  const hit = new RegExp(`^/${pattern}$`).exec(path);
  return hit ? Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(hit[i + 1] ?? '')])) : undefined;
}
