import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { freePort } from '../ports.ts';
import type { RequestCount } from '../request-count.ts';
import { readSecrets, writeSecrets } from './secret-file.ts';
import { SecretStore } from './secret-store.ts';
import { findOperation } from './secrets-api.ts';
import { createTokenCheck, type VerifyToken } from './token-check.ts';
import { badParameter, forbiddenByRbac, throttled, unavailable, VaultError } from './vault-error.ts';

export type VaultFault = 'throttled' | 'forbidden' | 'unavailable';

export interface VaultOptions {
  tls: { cert: string; key: string };
  /** Rejects unless the token is one of the directory's, alive and for that audience; its claims otherwise. */
  verify: VerifyToken;
  /** Where a client gets its token, such as `https://127.0.0.1:8444`; the challenge names it. */
  loginUrl: string;
  /** Tokens of other tenants are refused. */
  tenantId: string;
  /** The apps that may use the secrets; absent: any app of the tenant. */
  clientIds?: readonly string[];
  port?: number;
  /** Where the secrets are kept; absent: in memory. */
  file?: string;
  /** How long a deletion takes; it is not done at once in Azure either. */
  deletionMs?: number;
  limitPer10s?: number;
}

export interface Vault {
  readonly url: string;
  readonly port: number;
  /** Ends it and every open connection: an outage. */
  stop(): Promise<void>;
  /** On the same port, with the same secrets. */
  start(): Promise<void>;
  /** The next `times` requests with a good token are refused so. */
  fail(fault: VaultFault, times: number): void;
  counts(): RequestCount[];
  resetCounts(): void;
}

const LIMIT_PER_10_S = 4_000;
const BODY_MAX_BYTES = 1_048_576;

/** Starts the secrets data plane of a key vault on 127.0.0.1 over TLS. */
export async function startVault(options: VaultOptions): Promise<Vault> {
  const { file } = options;
  const store = new SecretStore({
    secrets: file ? readSecrets(file) : [],
    ...(options.deletionMs !== undefined && { deletionMs: options.deletionMs }),
    ...(file && { onChange: (secrets) => writeSecrets(file, secrets) }),
  });
  const port = await freePort(options.port);
  const url = `https://127.0.0.1:${port}`;
  const check = createTokenCheck(options);
  const limit = createLimit(options.limitPer10s ?? LIMIT_PER_10_S);
  const counts = new Map<string, RequestCount>();
  const faults: VaultFault[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET';
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    const segments = pathname.split('/').slice(1).map(decode);
    const operation = findOperation(method, segments);
    let status = 500;
    try {
      const body = await readBody(request);
      const claims = await check(request.headers.authorization, response);
      const fault = faults.shift();
      if (fault) throw faultOf(fault, claims.appid);
      if (!limit()) throw throttled();
      if (!searchParams.get('api-version')) throw badParameter('api-version must be specified');
      if (!operation) throw new VaultError(404, 'NotFound', 'Nothing answers here.');
      const answered = operation.run(store, { method, segments, query: searchParams, body, url });
      status = answered.status;
      send(response, status, answered.body);
    } catch (error) {
      const refusal = error instanceof VaultError ? error : defect(error);
      status = refusal.status;
      send(response, status, refusal.envelope());
    }
    count(counts, method, operation?.route ?? '(unknown)', status);
  }

  let server: Server | undefined;
  const vault: Vault = {
    url,
    port,
    async start() {
      if (server) return;
      const next = createServer(options.tls, (request, response) => {
        answer(request, response).catch(() => response.destroy());
      });
      await new Promise<void>((resolve, reject) => {
        next.once('error', reject);
        next.listen(port, '127.0.0.1', resolve);
      });
      server = next;
    },
    async stop() {
      const ending = server;
      if (!ending) return;
      server = undefined;
      const closed = new Promise<void>((resolve) => ending.close(() => resolve()));
      ending.closeAllConnections();
      await closed;
    },
    fail(fault, times) {
      for (let index = 0; index < times; index += 1) faults.push(fault);
    },
    counts: () => [...counts.values()],
    resetCounts: () => counts.clear(),
  };
  await vault.start();
  return vault;
}

function faultOf(fault: VaultFault, appId: unknown): VaultError {
  if (fault === 'throttled') return throttled();
  return fault === 'forbidden' ? forbiddenByRbac(String(appId)) : unavailable();
}

/** Counts by windows of ten seconds; a refused request counts as well, as Microsoft's page says on its stricter line. */
function createLimit(most: number): () => boolean {
  let window = 0;
  let seen = 0;
  return () => {
    const now = Math.floor(Date.now() / 10_000);
    if (now !== window) {
      window = now;
      seen = 0;
    }
    seen += 1;
    return seen <= most;
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= BODY_MAX_BYTES) chunks.push(chunk);
  }
  if (size > BODY_MAX_BYTES) throw new VaultError(413, 'RequestEntityTooLarge', 'The request body is too large.');
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body?: object): void {
  const content = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    'Cache-Control': 'no-cache',
    'x-ms-keyvault-service-version': '1.9.0.0',
    ...(body && { 'Content-Type': 'application/json; charset=utf-8' }),
    ...(status !== 204 && { 'Content-Length': Buffer.byteLength(content) }),
  });
  response.end(content);
}

/** A defect of this vault must be seen, without what the request held. */
function defect(error: unknown): VaultError {
  process.stderr.write(`simulated vault: ${error instanceof Error ? error.stack : 'something threw no Error'}\n`);
  return new VaultError(500, 'InternalServerError', 'The simulated vault failed; its standard error says why.');
}

function count(counts: Map<string, RequestCount>, method: string, route: string, status: number): void {
  const key = `${method} ${route} ${status}`;
  const known = counts.get(key);
  if (known) known.count += 1;
  else counts.set(key, { service: 'vault', method, route, status, count: 1 });
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
