import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Forwarding, forwardRequest } from './forward.ts';

export interface StreamProxy {
  /** Passes the request on to the library's own server, with the body that was read, and streams its answer to the client. */
  forward(req: IncomingMessage, res: ServerResponse, invocationId: string, body: Buffer | undefined): Forwarding;
  close(): void;
}

/** `httpUri` is the address of the library's server. `maxBytes` limits uploads of unknown length. */
export function createStreamProxy(httpUri: string, maxBytes: number): StreamProxy {
  const port = Number(new URL(httpUri).port);
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });
  return {
    forward(req, res, invocationId, body) {
      // The real host's proxy also replaces these headers, whatever the caller or the front end has put there.
      const headers = {
        'x-ms-invocation-id': invocationId,
        'x-forwarded-host': req.headers.host ?? '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-for': req.socket.remoteAddress ?? '',
      };
      return forwardRequest(req, res, { agent, port, maxBytes, headers, ...(body && { body }) });
    },
    close: () => agent.destroy(),
  };
}
