import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { freePort } from '../ports.ts';
import { CertificateStore } from './certificate-store.ts';
import { findCertificateOperation } from './certificates-api.ts';
import type { VaultRequest } from './operation.ts';
import { type VaultRequestCount, VaultRequestCounts } from './request-counts.ts';
import { createRequestLimit } from './request-limit.ts';
import { SecretStore } from './secret-store.ts';
import { findOperation } from './secrets-api.ts';
import { createTokenCheck, type VerifyToken } from './token-check.ts';
import { badParameter, forbiddenByRbac, throttled, unavailable, VaultError } from './vault-error.ts';
import { readVault, writeVault } from './vault-file.ts';
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
  /** The apps that may use the vault. Any app of the tenant if absent. */
  clientIds?: readonly string[];
  port?: number;
  /** The file that keeps everything. It stays in memory if absent. */
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

/** Starts the API of a key vault, for secrets, certificates and keys, on 127.0.0.1, over TLS. */
export async function startVault(options: VaultOptions): Promise<Vault> {
  const { file } = options;
  const kept = file ? readVault(file) : { secrets: [], certificates: [] };
  const onChange = () => {
    if (file) writeVault(file, { secrets: secrets.all(), certificates: certificates.all() });
  };
  const certificates = new CertificateStore({ certificates: kept.certificates, onChange });
  const secrets: SecretStore = new SecretStore({
    secrets: kept.secrets,
    managed: () => certificates.secrets(),
    ...(options.deletionMs !== undefined && { deletionMs: options.deletionMs }),
    onChange,
  });
  const find = (method: string, segments: readonly string[]) => {
    const ofSecrets = findOperation(method, segments);
    const ofCertificates = findCertificateOperation(method, segments);
    if (ofSecrets) return { route: ofSecrets.route, run: (request: VaultRequest) => ofSecrets.run(secrets, request) };
    return (
      ofCertificates && {
        route: ofCertificates.route,
        run: (request: VaultRequest) => ofCertificates.run(certificates, request),
      }
    );
  };
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
    const operation = find(method, segments);
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
      const result = await operation.run({ method, segments, query: searchParams, body, url });
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
