import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { controlRoutes, type ExtraCounts } from './control/control-service.ts';
import { entraRoutes } from './entra/entra-service.ts';
import { answerGraphRequest, isGraphPath } from './graph/graph-service.ts';
import { type Answered, json, readRequest, type SimulatorReply, type SimulatorRequest } from './http.ts';
import { startImap } from './imap/imap-service.ts';
import type { RequestCount } from './request-ledger.ts';
import { pathSegments, Router } from './router.ts';
import type { Scenario } from './scenario.ts';
import { startSmtp } from './smtp/smtp-service.ts';
import type { TokenClaims } from './token-issuer.ts';
import { type HomeTenant, World } from './world.ts';

export interface ExtraRoute {
  method: string;
  /** Parameters are in braces: `/_simulator/parts/{name}`. */
  path: string;
  handle(request: SimulatorRequest, params: Record<string, string>): SimulatorReply | Promise<SimulatorReply>;
}

export interface SimulatorOptions {
  scenario: Scenario;
  /** A certificate for 127.0.0.1, as PEM. All four services use it. */
  tls: { cert: string; key: string };
  /** The port of Entra, Graph and the control routes. Without it, a free one. */
  port?: number;
  home?: HomeTenant;
  /** Counts of other services, which the control routes show together with the simulator's own. */
  extraCounts?: () => RequestCount[] | Promise<RequestCount[]>;
  resetExtraCounts?: () => void | Promise<void>;
  /** Further control routes. They take precedence over the simulator's own. */
  extraRoutes?: readonly ExtraRoute[];
}

export interface Simulator {
  /** The address of Entra, Graph and the control routes. */
  url: string;
  loginUrl: string;
  graphUrl: string;
  imap: { host: string; port: number };
  smtp: { host: string; port: number };
  /** The state of the simulator, for tests that run in the same process. */
  world: World;
  /** Resolves to the token's claims. Rejects unless the simulated Entra issued it for the audience and it is still valid. */
  verifyToken(token: string, audience: string): Promise<TokenClaims>;
  close(): Promise<void>;
}

/** Starts the simulated Microsoft 365 on 127.0.0.1. Entra and Graph share one port; IMAP and SMTP have their own. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const world = new World(options.scenario, options.home);
  const answer = createDispatcher(world, options);
  const server = createServer({ cert: options.tls.cert, key: options.tls.key }, (incoming, outgoing) => {
    serve(world, answer, incoming, outgoing).catch(() => outgoing.destroy());
  });
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  world.url = `https://127.0.0.1:${port}`;
  const imap = await startImap(world, options.tls);
  const smtp = await startSmtp(world, options.tls);
  return {
    url: world.url,
    loginUrl: world.url,
    graphUrl: world.url,
    imap: { host: imap.host, port: imap.port },
    smtp: { host: smtp.host, port: smtp.port },
    world,
    verifyToken: (token, audience) => world.verifyToken(token, audience),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await Promise.all([closed, imap.close(), smtp.close()]);
    },
  };
}

type Dispatcher = (request: SimulatorRequest) => Promise<Answered>;

function createDispatcher(world: World, options: SimulatorOptions): Dispatcher {
  const extraRoutes = new Router<ExtraRoute>();
  for (const route of options.extraRoutes ?? []) extraRoutes.add(route.method, route.path, route);
  const extra: ExtraCounts = {
    counts: options.extraCounts ?? (() => []),
    reset: options.resetExtraCounts ?? (() => undefined),
  };
  return async (request) => {
    if (isGraphPath(request.path)) return await answerGraphRequest(world, request);
    const segments = pathSegments(request.path);
    const own = extraRoutes.match(request.method, segments);
    if (own.kind === 'found') {
      const reply = await own.handler.handle(request, own.params);
      return { reply, trace: { service: 'control', route: own.pattern } };
    }
    if (segments[0] === '_simulator') {
      const match = controlRoutes.match(request.method, segments);
      const trace = { service: 'control', route: match.kind === 'none' ? '(unknown)' : match.pattern };
      if (match.kind !== 'found') return { reply: unknownRoute(match.kind === 'none' ? 404 : 405), trace };
      return { reply: await match.handler({ world, request, extra, params: match.params }), trace };
    }
    const match = entraRoutes.match(request.method, segments);
    const trace = { service: 'entra', route: match.kind === 'none' ? '(unknown)' : match.pattern };
    if (match.kind !== 'found') return { reply: unknownRoute(match.kind === 'none' ? 404 : 405), trace };
    return { reply: await match.handler(world, match.params, request, trace), trace };
  };
}

const unknownRoute = (status: number) =>
  json(status, { error: { code: 'notFound', message: 'The simulator has no such route.' } });

async function serve(
  world: World,
  answer: Dispatcher,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const request = await readRequest(incoming);
  const { reply, trace } = await answer(request).catch((error: unknown) => {
    // A defect of the simulator must not look like a fault that the scenario asked for.
    process.stderr.write(`simulated Microsoft 365: ${error instanceof Error ? error.stack : String(error)}\n`);
    return { reply: json(500, { error: { code: 'simulatorDefect', message: String(error) } }), trace: DEFECT };
  });
  if (trace.service !== 'control') {
    const status = reply.noReply ? 0 : reply.status;
    world.requests.count(trace.service, request.method, trace.route, status);
    world.requests.log(request.method, status, trace);
  }
  if (reply.noReply === 'hang') return;
  if (reply.noReply === 'drop') {
    outgoing.destroy();
    return;
  }
  send(reply, outgoing);
}

const DEFECT = { service: 'simulator', route: '(defect)' };

function send(reply: SimulatorReply, outgoing: ServerResponse): void {
  const { body } = reply;
  const content =
    body === undefined ? '' : typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  outgoing.writeHead(reply.status, {
    ...reply.headers,
    ...(reply.status === 204 ? {} : { 'Content-Length': String(Buffer.byteLength(content)) }),
  });
  outgoing.end(content);
}
