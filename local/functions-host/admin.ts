import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { RegisteredFunction } from './core.ts';
import { answerEmpty } from './http-message.ts';

/** Answers the routes under `/admin`. */
export type Admin = (req: IncomingMessage, res: ServerResponse, url: URL) => void;

export interface Runnable {
  fn: RegisteredFunction;
  /** Runs it once with this text as its message. `undefined` for HTTP functions, which have their own routes. */
  run: ((input: string) => Promise<unknown>) | undefined;
}

const body = z.looseObject({ input: z.string().optional() });
const loopbackNames = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/i;

/** Compares whole segments, because an app may have a route `administrators`. */
export function isAdminPath(path: string): boolean {
  return path === '/admin' || path.startsWith('/admin/');
}

/**
 * `GET /admin/host/status`, `GET /admin/host/ping`, `GET /admin/functions`, `POST /admin/functions/{name}`.
 *
 * The real host requires its master key here. This one listens on 127.0.0.1 only, so the remaining danger is a web page
 * in the developer's browser. Checking the host name stops DNS rebinding, and accepting only JSON stops forged forms.
 */
export function createAdmin(runnables: Runnable[], startedAt: number): Admin {
  const byName = new Map(runnables.map((one) => [one.fn.metadata.name.toLowerCase(), one]));
  return (req, res, url) => {
    const path = url.pathname.replace(/\/$/, '');
    const name = /^\/admin\/functions\/([\w-]+)$/.exec(path)?.[1]?.toLowerCase();
    const run = req.method === 'POST' && name !== undefined ? byName.get(name)?.run : undefined;
    if (!loopbackNames.test(req.headers.host ?? '')) answerEmpty(req, res, 403);
    else if (run) void start(run, req, res);
    else if (req.method !== 'GET') answerEmpty(req, res, 404);
    else if (path === '/admin/host/ping') answerEmpty(req, res, 200);
    else if (path === '/admin/host/status') {
      answer(res, 200, { state: 'Running', processUptime: Date.now() - startedAt, functions: byName.size });
    } else if (path === '/admin/functions') answer(res, 200, runnables.map(describe));
    else answerEmpty(req, res, 404);
  };
}

function describe({ fn }: Runnable) {
  return { name: fn.metadata.name, config: { bindings: Object.values(fn.metadata.bindings) } };
}

async function start(
  run: (input: string) => Promise<unknown>,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  if (!/^application\/json\b/i.test(req.headers['content-type'] ?? '')) {
    answerEmpty(req, res, 415);
    return;
  }
  let input: string;
  try {
    let text = '';
    for await (const chunk of req.setEncoding('utf8')) text += chunk;
    input = body.parse(text === '' ? {} : JSON.parse(text)).input ?? '';
  } catch {
    answerEmpty(req, res, 400);
    return;
  }
  // As in Azure, the caller only learns that the run was accepted. Its result is in the log.
  run(input).catch(() => undefined);
  answerEmpty(req, res, 202);
}

function answer(res: ServerResponse, status: number, json: unknown): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
}
