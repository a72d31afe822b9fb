import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Admin, isAdminPath } from './admin.ts';
import type { RegisteredFunction } from './core.ts';
import { HostError } from './host-error.ts';
import { answerEmpty } from './http-message.ts';
import { httpMetadata } from './http-metadata.ts';
import { type InvocationInput, type Invoke, triggerOf } from './invocation.ts';
import { canCall } from './keys.ts';
import { compileRoute, matchRoute, sortRoutes } from './routes.ts';
import { sendRpcResponse, toRpcRequest } from './rpc-http.ts';
import { createStreamProxy, type StreamProxy } from './stream-proxy.ts';
import { BodyError, readWholeBody } from './whole-body.ts';

export interface HttpListenerOptions {
  /** 0 picks a free port. */
  port: number;
  routePrefix: string;
  maxBodyBytes: number;
  masterKey: string | undefined;
  /** The address of the library's own server, if the app uses HTTP streaming. */
  streamUri: string | undefined;
}

export interface HttpListener {
  port: number;
  /** Accepts no more connections. Resolves once all requests in flight are answered. */
  stop(): Promise<void>;
}

/** Serves the HTTP functions and the admin routes on 127.0.0.1. */
export async function listenForHttp(
  functions: RegisteredFunction[],
  options: HttpListenerOptions,
  invoke: Invoke,
  admin: Admin,
): Promise<HttpListener> {
  const routes = sortRoutes(functions.map((fn) => compileFunctionRoute(fn, options.routePrefix)));
  const proxy = options.streamUri ? createStreamProxy(options.streamUri, options.maxBodyBytes) : undefined;

  function handle(req: IncomingMessage, res: ServerResponse): void {
    const url = readUrl(req);
    if (!url) answerEmpty(req, res, 400);
    else if (isAdminPath(url.pathname)) admin(req, res, url);
    else dispatch(req, res, url);
  }

  function dispatch(req: IncomingMessage, res: ServerResponse, url: URL): void {
    const match = matchRoute(routes, req.method ?? 'GET', url.pathname);
    if (!match) {
      answerEmpty(req, res, 404);
      return;
    }
    const { target: fn, params } = match;
    const presented = { header: req.headers['x-functions-key']?.toString(), code: url.searchParams.get('code') };
    if (!canCall(triggerOf(fn).options.authLevel, presented, options.masterKey)) answerEmpty(req, res, 401);
    else if (Number(req.headers['content-length'] ?? 0) > options.maxBodyBytes) answerEmpty(req, res, 413);
    else void invokeFor(fn, req, res, url, params);
  }

  async function invokeFor(
    fn: RegisteredFunction,
    req: IncomingMessage,
    res: ServerResponse,
    url: URL,
    params: Record<string, string>,
  ): Promise<void> {
    let body: Buffer | undefined;
    try {
      body = await readWholeBody(req);
    } catch (error) {
      if (!(error instanceof BodyError && error.isSlow)) return;
      res.setHeader('connection', 'close');
      answerEmpty(req, res, 408);
      return;
    }
    const input = {
      triggerMetadata: httpMetadata({ query: url.searchParams, headers: req.headers, params, body }),
      traceParent: req.headers.traceparent?.toString(),
      traceState: req.headers.tracestate?.toString(),
    };
    if (proxy) stream(proxy, fn, req, res, input, body);
    else await call(fn, req, res, { ...input, data: toRpcRequest(req, url, params, body) });
  }

  function stream(
    { forward }: StreamProxy,
    fn: RegisteredFunction,
    req: IncomingMessage,
    res: ServerResponse,
    input: Omit<InvocationInput, 'data'>,
    body: Buffer | undefined,
  ): void {
    const invocationId = randomUUID();
    const forwarding = forward(req, res, invocationId, body);
    // When the invocation ends, the library has written its answer to the stream, unless the function returned nothing
    // or threw. The real host then lets the caller wait. This one answers 500.
    invoke(fn, { ...input, invocationId, data: {} }).then(
      ({ result }) => {
        if (result === undefined || result === null) forwarding.giveUp(500);
      },
      () => forwarding.giveUp(500),
    );
  }

  async function call(
    fn: RegisteredFunction,
    req: IncomingMessage,
    res: ServerResponse,
    input: InvocationInput,
  ): Promise<void> {
    try {
      const { response } = await invoke(fn, input);
      sendRpcResponse(res, response);
    } catch {
      answerEmpty(req, res, 500);
    }
  }

  const server = createServer(handle);
  server.on('clientError', refuseMalformed);
  // As in Kestrel, an upload may take any time if it is not too slow, and idle connections stay open for 130 seconds.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 130_000;
  await listen(server, options.port);

  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        // A connection that becomes idle after its last answer would otherwise keep the server open.
        const sweep = setInterval(() => server.closeIdleConnections(), 50);
        server.close(() => {
          clearInterval(sweep);
          proxy?.close();
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

/** Kestrel, too, answers what is not HTTP, and then closes the connection. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}

function compileFunctionRoute(fn: RegisteredFunction, prefix: string) {
  const { options } = triggerOf(fn);
  const template = typeof options.route === 'string' ? options.route : fn.metadata.name;
  const methods = Array.isArray(options.methods) ? options.methods.map(String) : [];
  return compileRoute(`${prefix}/${template}`, methods, fn);
}

function readUrl(req: IncomingMessage): URL | undefined {
  const { host = '127.0.0.1' } = req.headers;
  const path = req.url?.startsWith('/') ? req.url : '/';
  return URL.parse(`http://${host}${path}`) ?? undefined;
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new HostError(`port ${port} is already in use`) : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}
