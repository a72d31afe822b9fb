import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type Certificate, obtainCertificate, trustInThisProcess } from '../../local/certificate.ts';
import {
  parseScenario,
  parseTenant,
  type ScenarioInput,
  type ScenarioTenantInput,
} from '../../local/microsoft365/scenario.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../local/microsoft365/simulator.ts';
import { wingtip, wingtipTenant } from './wingtip.ts';

/** An HTTP response, read to its end. */
export interface HttpResult<T> {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed JSON body. An empty object if the body is not JSON. */
  body: T;
}

export interface ErrorBody {
  error?: { code: string; message: string; innerError?: Record<string, string> };
}

export interface TokenBody {
  access_token?: string;
  expires_in?: number;
  token_type?: string;
  error?: string;
  error_description?: string;
  error_codes?: number[];
  error_uri?: string;
  timestamp?: string;
  trace_id?: string;
  correlation_id?: string;
}

export interface RequestOptions {
  token?: string | undefined;
  /** An object is sent as JSON, a string as it is. */
  body?: object | string;
  headers?: Record<string, string>;
}

export interface SimulatorClient {
  simulator: Simulator;
  /** Replaces the tenant with that id. */
  put(tenant: ScenarioTenantInput): void;
  /** `POST /{tenant}/oauth2/v2.0/token`. Fields that are `undefined` are left out. */
  askToken(
    fields?: Record<string, string | undefined>,
    options?: { tenant?: string; headers?: Record<string, string> },
  ): Promise<HttpResult<TokenBody>>;
  /** An access token for Graph, or for the given resource. */
  token(resource?: string, clientId?: string): Promise<string>;
  /** Calls Graph with a token of the Wingtip app, unless `token` is given. `''` sends no token. */
  graph<T = ErrorBody>(method: string, path: string, options?: RequestOptions): Promise<HttpResult<T>>;
  /** Reads from the simulator's control service. */
  control<T>(path: string): Promise<T>;
  close(): Promise<void>;
}

/** One certificate for all simulators, because `fetch` reads the trusted certificates only once. */
let certificate: Promise<Certificate> | undefined;

async function createTrustedCertificate(): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-simulator-'));
  const created = await obtainCertificate(folder);
  await rm(folder, { recursive: true });
  trustInThisProcess(created.cert);
  return created;
}

/** Starts a simulator with the Wingtip tenant, or another scenario, and closes it when the test file is done. */
export async function startSimulatedTenant(
  scenario: ScenarioInput = { tenants: [wingtipTenant()] },
): Promise<SimulatorClient> {
  const client = await openSimulator(scenario);
  afterAll(() => client.close());
  return client;
}

/** Starts a simulated Microsoft 365 and returns a client that talks to it over TLS, as any client does. */
export async function openSimulator(
  scenario: ScenarioInput,
  options: Partial<SimulatorOptions> = {},
): Promise<SimulatorClient> {
  certificate ??= createTrustedCertificate();
  const simulator = await startSimulator({ scenario: parseScenario(scenario), tls: await certificate, ...options });
  let defaultToken: Promise<string> | undefined;

  const client: SimulatorClient = {
    simulator,
    put(tenant) {
      defaultToken = undefined;
      simulator.world.put(parseTenant(tenant));
    },
    askToken(fields = {}, { tenant = wingtip.id, headers = {} } = {}) {
      const form = new URLSearchParams();
      const all = { ...defaultTokenFields, ...fields };
      for (const [name, value] of Object.entries(all)) if (value !== undefined) form.set(name, value);
      return request(`${simulator.loginUrl}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body: form, headers });
    },
    async token(resource = 'https://graph.microsoft.com', clientId = wingtip.clientId) {
      const result = await client.askToken({ scope: `${resource}/.default`, client_id: clientId });
      if (!result.body.access_token) throw new Error(`no token: ${result.text}`);
      return result.body.access_token;
    },
    async graph(method, path, { token, body, headers = {} } = {}) {
      if (token === undefined) defaultToken ??= client.token();
      const bearer = token ?? (await defaultToken);
      const isJson = typeof body === 'object';
      return request(`${simulator.graphUrl}/v1.0${path}`, {
        method,
        headers: {
          ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
      });
    },
    async control<T>(path: string) {
      return (await request<T>(`${simulator.url}/_simulator${path}`, {})).body;
    },
    close: () => simulator.close(),
  };
  return client;
}

const defaultTokenFields = {
  grant_type: 'client_credentials',
  client_id: wingtip.clientId,
  client_secret: wingtip.clientSecret,
  scope: 'https://graph.microsoft.com/.default',
};

async function request<T>(url: string, init: RequestInit): Promise<HttpResult<T>> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parseJson(text) };
}

function parseJson(text: string) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
