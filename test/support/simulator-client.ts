import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Certificate, obtainCertificate, trustInThisProcess } from '../../local/certificate.ts';
import {
  parseScenario,
  parseTenant,
  type ScenarioInput,
  type ScenarioTenantInput,
} from '../../local/microsoft365/scenario.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../local/microsoft365/simulator.ts';

/** The tenant that most tests need, its app and its secret. */
export const wingtip = {
  id: '3c8e5d72-1f4a-4b96-8e07-5a9d2c6b1f80',
  domain: 'wingtip.example',
  clientId: 'a1d4f7c2-6b3e-4958-9c0d-7e2f8b5a4c61',
  clientSecret: 'simulated-Wingtip-8Q~value-of-a-client-secret',
} as const;

export type AppInput = NonNullable<ScenarioTenantInput['apps']>[number];

export const at = (name: string): string => `${name}@${wingtip.domain}`;

export function wingtipApp(more: Partial<AppInput> = {}): AppInput {
  return {
    clientId: wingtip.clientId,
    secrets: [{ value: wingtip.clientSecret }],
    grants: ['Mail.ReadWrite', 'Mail.Send', 'User.Read.All'],
    ...more,
  };
}

export function wingtipTenant(more: Partial<ScenarioTenantInput> = {}): ScenarioTenantInput {
  return { id: wingtip.id, name: 'Wingtip', domains: [wingtip.domain], apps: [wingtipApp()], ...more };
}

/** What came back over the wire. */
export interface Told<T> {
  status: number;
  headers: Headers;
  text: string;
  /** The body as JSON; an empty object where it is none. */
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

export interface Asked {
  token?: string | undefined;
  /** An object is sent as JSON, a string as it is. */
  body?: object | string;
  headers?: Record<string, string>;
}

export interface SimulatorClient {
  simulator: Simulator;
  /** Replaces the tenant of that id. */
  put(tenant: ScenarioTenantInput): void;
  /** `POST /{tenant}/oauth2/v2.0/token`; a field that is `undefined` is left out. */
  askToken(
    fields?: Record<string, string | undefined>,
    asked?: { tenant?: string; headers?: Record<string, string> },
  ): Promise<Told<TokenBody>>;
  /** An access token for Graph, or for the resource named. */
  token(resource?: string, clientId?: string): Promise<string>;
  /** A call of Graph's, with a token of the tenant's app unless one is handed over (`''`: none). */
  graph<T = ErrorBody>(method: string, path: string, asked?: Asked): Promise<Told<T>>;
  control<T>(path: string): Promise<T>;
  close(): Promise<void>;
}

/** One for all: `fetch` looks at what is trusted only once. */
let trusted: Promise<Certificate> | undefined;

async function trustOne(): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-simulator-'));
  const certificate = await obtainCertificate(folder);
  await rm(folder, { recursive: true });
  trustInThisProcess(certificate.cert);
  return certificate;
}

/** Starts a simulated Microsoft 365 and speaks to it as any client would: over TLS, on its port. */
export async function openSimulator(
  scenario: ScenarioInput,
  options: Partial<SimulatorOptions> = {},
): Promise<SimulatorClient> {
  trusted ??= trustOne();
  const certificate = await trusted;
  const simulator = await startSimulator({ scenario: parseScenario(scenario), tls: certificate, ...options });
  let known: Promise<string> | undefined;
  const ownToken = () => {
    known ??= client.token();
    return known;
  };

  const client: SimulatorClient = {
    simulator,
    put(tenant) {
      known = undefined;
      simulator.world.put(parseTenant(tenant));
    },
    askToken(fields = {}, { tenant = wingtip.id, headers = {} } = {}) {
      const form = new URLSearchParams();
      const all = { ...usual, ...fields };
      for (const [name, value] of Object.entries(all)) if (value !== undefined) form.set(name, value);
      return tell(`${simulator.loginUrl}/${tenant}/oauth2/v2.0/token`, { method: 'POST', body: form, headers });
    },
    async token(resource = 'https://graph.microsoft.com', clientId = wingtip.clientId) {
      const told = await client.askToken({ scope: `${resource}/.default`, client_id: clientId });
      if (!told.body.access_token) throw new Error(`no token: ${told.text}`);
      return told.body.access_token;
    },
    async graph(method, path, { token, body, headers = {} } = {}) {
      const bearer = token ?? (await ownToken());
      const isJson = typeof body === 'object';
      return tell(`${simulator.graphUrl}/v1.0${path}`, {
        method,
        headers: {
          ...(bearer === '' ? {} : { Authorization: `Bearer ${bearer}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : body }),
      });
    },
    async control<T>(path: string) {
      return (await tell<T>(`${simulator.url}/_simulator${path}`, {})).body;
    },
    close: () => simulator.close(),
  };
  return client;
}

const usual = {
  grant_type: 'client_credentials',
  client_id: wingtip.clientId,
  client_secret: wingtip.clientSecret,
  scope: 'https://graph.microsoft.com/.default',
};

async function tell<T>(url: string, init: RequestInit): Promise<Told<T>> {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: parsed(text) as T };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
