import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { freePort } from '../ports.ts';
import { type VaultRequestCount, VaultRequestCounts } from './request-counts.ts';
import { createRequestLimit } from './request-limit.ts';
import { readSecrets, writeSecrets } from './secret-file.ts';
import { SecretStore } from './secret-store.ts';
import { findOperation } from './secrets-api.ts';
import { createTokenCheck, type VerifyToken } from './token-check.ts';
import { badParameter, forbiddenByRbac, throttled, unavailable, VaultError } from './vault-error.ts';
import { readBody, readSegments, send } from './vault-http.ts';

const errorByFault = {
  throttled,
  forbidden: forbiddenByRbac,
  unavailable,
} satisfies Record<string, (appId: string) => VaultError>;

/** `noAnswer`: the connection stays open, and nothing is sent. */
export type VaultFault = keyof typeof errorByFault | 'noAnswer';

export interface VaultOptions {
  tls: { cert: string; key: string };
  /** Resolves to the token's claims. Rejects unless the token is valid and for that audience. */
  verify: VerifyToken;
  /** Where clients get their tokens, such as `https://127.0.0.1:8444`. The challenge names it. */
  loginUrl: string;
  /** Tokens of other tenants are refused. */
  tenantId: string;
  /** The apps that may use the secrets. Any app of the tenant if absent. */
  clientIds?: readonly string[];
  port?: number;
  /** The file that keeps the secrets. They stay in memory if absent. */
  file?: string;
  /** How long a deletion takes. In Azure it takes time too. Default 0. */
  deletionMs?: number;
  /** How many requests are allowed in ten seconds. */
  requestsPer10sMax?: number;
}

export interface Vault {
  readonly url: string;
  readonly port: number;
  /** Stops the server and closes every open connection, as an outage does. */
  stop(): Promise<void>;
  /** Starts it again on the same port with the same secrets. */
  start(): Promise<void>;
  /** Refuses the next `times` requests that have a valid token. */
  fail(fault: VaultFault, times: number): void;
  counts(): VaultRequestCount[];
  resetCounts(): void;
}

/** https://learn.microsoft.com/azure/key-vault/general/service-limits */
const REQUESTS_PER_10S_MAX = 4_000;

/** Starts the secrets API of a key vault on 127.0.0.1, over TLS. */
export async function startVault(options: VaultOptions): Promise<Vault> {
  const { file } = options;
  const store = new SecretStore({
    secrets: file ? readSecrets(file) : [],
    ...(options.deletionMs !== undefined && { deletionMs: options.deletionMs }),
    ...(file && { onChange: (secrets) => writeSecrets(file, secrets) }),
  });
  const port = await freePort(options.port);
  const url = `https://127.0.0.1:${port}`;
  const checkToken = createTokenCheck(options);
  const isWithinLimit = createRequestLimit(options.requestsPer10sMax ?? REQUESTS_PER_10S_MAX);
  const counts = new VaultRequestCounts();
  const pendingFaults: VaultFault[] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET';
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    const segments = readSegments(pathname);
    const operation = findOperation(method, segments);
    let status = 500;
    try {
      const body = await readBody(request);
      const claims = await checkToken(request.headers.authorization, response);
      const fault = pendingFaults.shift();
      if (fault === 'noAnswer') return;
      if (fault) throw errorByFault[fault](String(claims.appid));
      if (!isWithinLimit()) throw throttled();
      if (!searchParams.get('api-version')) throw badParameter('api-version must be specified');
      if (!operation) throw new VaultError(404, 'NotFound', 'The vault has no such path.');
      const result = operation.run(store, { method, segments, query: searchParams, body, url });
      status = result.status;
      send(response, status, result.body);
    } catch (error) {
      const refusal = error instanceof VaultError ? error : defect(error);
      status = refusal.status;
      send(response, status, refusal.envelope());
    }
    counts.add(method, operation?.route ?? '(unknown)', status);
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
      const stopping = server;
      if (!stopping) return;
      server = undefined;
      const closed = new Promise<void>((resolve) => stopping.close(() => resolve()));
      stopping.closeAllConnections();
      await closed;
    },
    fail(fault, times) {
      for (let index = 0; index < times; index += 1) pendingFaults.push(fault);
    },
    counts: () => counts.list(),
    resetCounts: () => counts.reset(),
  };
  await vault.start();
  return vault;
}

/** Reports a defect of this vault without showing anything from the request. */
function defect(error: unknown): VaultError {
  process.stderr.write(
    `simulated vault: ${error instanceof Error ? error.stack : 'something other than an Error was thrown'}\n`,
  );
  return new VaultError(500, 'InternalServerError', 'The simulated vault failed. See its standard error.');
}
