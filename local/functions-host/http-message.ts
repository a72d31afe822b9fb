import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';

/** How long the rest of an upload is read and discarded, so that its sender can read the answer. */
const LINGER_MS = 5_000;

/** Headers that apply to one connection. A proxy must not forward them (RFC 9110 §7.6.1). */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

export function withoutHopByHop(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const named = new Set((headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !hopByHop.has(name) && !named.has(name)) kept[name] = value;
  }
  return kept;
}

/** Headers as the worker receives them: one string each. */
export function headerValues(headers: IncomingHttpHeaders): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) values[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return values;
}

/** The query as the worker receives it: one entry per name, with repeated values joined by commas. */
export function queryValues(query: URLSearchParams): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of new Set(query.keys())) values[name] = query.getAll(name).join(',');
  return values;
}

/** Answers with a status and no body, as the real host does if no function answers. */
export function answerEmpty(req: IncomingMessage, res: ServerResponse, status: number): void {
  if (res.writableEnded) return;
  if (res.headersSent || res.destroyed) {
    // Part of an answer was already sent. Only a broken connection tells the client that it is incomplete.
    res.destroy();
    return;
  }
  res.writeHead(status, { 'content-length': 0 }).end();
  discardRest(req);
}

/**
 * Reads and discards the rest of an upload for some seconds. Closing immediately would reset the connection, and a client
 * that is still sending would see the reset instead of its answer.
 */
export function discardRest(req: IncomingMessage): void {
  if (req.complete || req.destroyed) return;
  req.resume();
  const timer = setTimeout(() => req.destroy(), LINGER_MS);
  req.once('close', () => clearTimeout(timer));
}
