import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Forwarding, forwardRequest } from './forward.ts';

export interface StreamProxy {
  /** Streams the raw request to the library's own server, and its answer to the client. */
  forward(req: IncomingMessage, res: ServerResponse, invocationId: string): Forwarding;
  close(): void;
}

/** `httpUri` is the address of the library's server. `maxBytes` limits uploads of unknown length. */
export function createStreamProxy(httpUri: string, maxBytes: number): StreamProxy {
  const port = Number(new URL(httpUri).port);
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 256 });
  return {
    forward(req, res, invocationId) {
      const headers = {
        'x-ms-invocation-id': invocationId,
        'x-forwarded-host': req.headers.host ?? '127.0.0.1',
        'x-forwarded-proto': 'http',
        'x-forwarded-for': forwardedFor(req),
      };
      return forwardRequest(req, res, { agent, port, maxBytes, headers });
    },
    close: () => agent.destroy(),
  };
}

/** As App Service does it: appends the address of the socket, with its port, to what the caller sent. */
function forwardedFor({ headers, socket }: IncomingMessage): string {
  const address = `${socket.remoteAddress}:${socket.remotePort}`;
  const sent = headers['x-forwarded-for'];
  return sent === undefined ? address : `${sent}, ${address}`;
}
