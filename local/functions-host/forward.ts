import { type Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { answerEmpty, discardRest, withoutHopByHop } from './http-message.ts';

/** Azure's proxies give up after this time without a byte in either direction. */
const ACTIVITY_TIMEOUT_MS = 240_000;

export interface Forwarding {
  /** Called if nobody will answer. The client gets this status, or a broken connection. */
  giveUp(status: number): void;
}

export interface ForwardOptions {
  agent: Agent;
  /** The port of the server on 127.0.0.1 that answers. */
  port: number;
  /** Headers that replace the client's. */
  headers?: Record<string, string>;
  /** Limits uploads of unknown length. */
  maxBytes?: number;
  /** The body, if it was read already. */
  body?: Buffer;
}

/** Streams a request to another server and its answer to the client, without buffering in either direction. */
export function forwardRequest(req: IncomingMessage, res: ServerResponse, options: ForwardOptions): Forwarding {
  const { agent, port, body, maxBytes = Number.POSITIVE_INFINITY } = options;
  let isOver = false;
  let isAnswered = false;
  const headers = withoutHopByHop(req.headers);
  // This server has already answered `Expect: 100-continue`. The next one must not wait for it again.
  delete headers.expect;
  if (req.headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked';
  else if (req.method !== 'GET' && req.method !== 'HEAD') headers['content-length'] ??= '0';
  Object.assign(headers, options.headers);
  const upstream = request({ agent, host: '127.0.0.1', port, method: req.method ?? 'GET', path: req.url, headers });

  const giveUp = (status: number) => {
    if (isOver) return;
    isOver = true;
    req.unpipe(upstream);
    destroyWhenSent();
    answerEmpty(req, res, status);
  };

  // The library would wait forever for a request that never arrives, so an abandoned request is sent first.
  const destroyWhenSent = () => {
    const socket = upstream.socket;
    if (socket && !socket.connecting) upstream.destroy();
    else
      upstream.once('socket', (late) =>
        late.connecting ? late.once('connect', () => upstream.destroy()) : upstream.destroy(),
      );
  };

  let received = 0;
  req.on('data', (chunk: Buffer) => {
    received += chunk.length;
    if (received > maxBytes) giveUp(413);
  });
  req.on('error', () => destroyWhenSent());
  res.on('error', () => destroyWhenSent());
  res.on('close', () => {
    if (!res.writableFinished) destroyWhenSent();
    else if (!upstream.writableFinished) {
      // The function answered without reading the whole upload, and will not read the rest.
      req.unpipe(upstream);
      upstream.destroy();
      discardRest(req);
    }
    isOver = true;
  });

  upstream.setTimeout(ACTIVITY_TIMEOUT_MS, () => giveUp(504));
  upstream.on('error', () => {
    if (!isAnswered) giveUp(502);
  });
  upstream.on('response', (answer) => {
    isAnswered = true;
    if (isOver) {
      answer.destroy();
      return;
    }
    res.writeHead(answer.statusCode ?? 502, withoutHopByHop(answer.headers));
    res.flushHeaders();
    pipeline(answer, res, (error) => {
      if (error) res.destroy();
    });
  });
  upstream.flushHeaders();
  if (body) upstream.end(body);
  else req.pipe(upstream);
  return { giveUp };
}
