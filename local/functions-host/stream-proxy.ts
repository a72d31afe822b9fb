import { Agent, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { answerEmpty, discardRest, withoutHopByHop } from './http-message.ts';

/** The platform's forwarder gives up after this long without a byte in either direction. */
const ACTIVITY_TIMEOUT_MS = 240_000;

export interface Forwarding {
  /** The function ended without an answer: the client gets this status, or a broken connection in mid-answer. */
  giveUp(status: number): void;
}

export interface StreamProxy {
  /** Hands the raw request to the library's own server, and its answer back, byte by byte in both directions. */
  forward(req: IncomingMessage, res: ServerResponse, invocationId: string): Forwarding;
  close(): void;
}

/** `httpUri` is what the library published as its capability; `maxBytes` bounds an upload of unknown length. */
export function createStreamProxy(httpUri: string, maxBytes: number): StreamProxy {
  const port = Number(new URL(httpUri).port);
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });

  function forward(req: IncomingMessage, res: ServerResponse, invocationId: string): Forwarding {
    let over = false;
    let answered = false;
    const headers = withoutHopByHop(req.headers);
    // The client was told to go on by our own server; asking the library's again would only wait.
    delete headers.expect;
    if (req.headers['transfer-encoding'] !== undefined) headers['transfer-encoding'] = 'chunked';
    else if (req.method !== 'GET' && req.method !== 'HEAD') headers['content-length'] ??= '0';
    headers['x-ms-invocation-id'] = invocationId;
    headers['x-forwarded-host'] = req.headers.host ?? '127.0.0.1';
    headers['x-forwarded-proto'] = 'http';
    const upstream = request({ agent, host: '127.0.0.1', port, method: req.method ?? 'GET', path: req.url, headers });

    const giveUp = (status: number) => {
      if (over) return;
      over = true;
      req.unpipe(upstream);
      destroyWhenSent();
      answerEmpty(req, res, status);
    };

    // The library waits for ever for a request that never arrives, so even an abandoned one is first sent.
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
      else if (!req.complete) {
        // Answered before the upload was read: the function will not read the rest.
        req.unpipe(upstream);
        upstream.destroy();
        discardRest(req);
      }
      over = true;
    });

    upstream.setTimeout(ACTIVITY_TIMEOUT_MS, () => giveUp(504));
    upstream.on('error', () => {
      if (!answered) giveUp(502);
    });
    upstream.on('response', (answer) => {
      answered = true;
      if (over) {
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
    req.pipe(upstream);
    return { giveUp };
  }

  return { forward, close: () => agent.destroy() };
}
