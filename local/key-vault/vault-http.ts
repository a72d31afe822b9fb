import type { IncomingMessage, ServerResponse } from 'node:http';
import { VaultError } from './vault-error.ts';

const BODY_BYTES_MAX = 1_048_576;

export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= BODY_BYTES_MAX) chunks.push(chunk);
  }
  if (size > BODY_BYTES_MAX) throw new VaultError(413, 'RequestEntityTooLarge', 'The request body is too large.');
  return Buffer.concat(chunks).toString('utf8');
}

/** The decoded path segments. An empty last segment is kept. */
export function readSegments(pathname: string): string[] {
  return pathname.split('/').slice(1).map(decode);
}

export function send(response: ServerResponse, status: number, body?: object): void {
  const content = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    'Cache-Control': 'no-cache',
    'x-ms-keyvault-service-version': '1.9.0.0',
    ...(body && { 'Content-Type': 'application/json; charset=utf-8' }),
    ...(status !== 204 && { 'Content-Length': Buffer.byteLength(content) }),
  });
  response.end(content);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
