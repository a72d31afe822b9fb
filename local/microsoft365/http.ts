import type { IncomingMessage } from 'node:http';

/** A request with its whole body. The path is still percent-encoded. */
export interface SimulatorRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  header(name: string): string | undefined;
  body: Buffer;
}

export interface SimulatorReply {
  status: number;
  headers?: Record<string, string | string[]>;
  /** An object is sent as JSON; a string or bytes are sent unchanged. */
  body?: object | string | Buffer | undefined;
  /** Nothing is sent. `hang`: the connection stays open. `drop`: it is closed. */
  noReply?: 'hang' | 'drop' | undefined;
}

/** What the request log records: the service, the route with named parameters, and whose mailbox it was. */
export interface Trace {
  service: string;
  route: string;
  mailbox?: string | undefined;
  tenantId?: string | undefined;
  clientId?: string | undefined;
  /** A name of the authorization code that was given out or redeemed. It does not reveal the code. */
  codeName?: string | undefined;
}

export interface Answered {
  reply: SimulatorReply;
  trace: Trace;
}

export async function readRequest(incoming: IncomingMessage): Promise<SimulatorRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const url = incoming.url ?? '/';
  const mark = url.indexOf('?');
  return {
    method: incoming.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    header: (name) => {
      const value = incoming.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks),
  };
}

export function json(status: number, body: object, headers: Record<string, string> = {}): SimulatorReply {
  return { status, body, headers: { 'Content-Type': 'application/json; charset=utf-8', ...headers } };
}

export function html(status: number, page: string): SimulatorReply {
  return { status, body: page, headers: { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' } };
}
