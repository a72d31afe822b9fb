import { setTimeout as pause } from 'node:timers/promises';
import { type ApiClient, createApiClient } from '../../local/api-client.ts';
import { trustInThisProcess } from '../../local/certificate.ts';
import { parseScenario, type ScenarioInput } from '../../local/microsoft365/scenario.ts';
import { type Stack, type StackOptions, startStack } from '../../local/stack.ts';

/** Seconds where the product has minutes, so that no test waits for a sweep or a lease. All of them settings. */
const QUICK = {
  SWEEP_SCHEDULE: '*/2 * * * * *',
  BATCH_OVERDUE_AFTER: 'PT5S',
  // On a machine that cannot keep up, sending again ever so often is what keeps it from catching up.
  BATCH_OVERDUE_MAX: 'PT30S',
  PLAN_OVERDUE_AFTER: 'PT4S',
  DISPATCH_LEASE: 'PT3S',
  STORAGE_RETRY_AFTER: 'PT2S',
  CHECK_RETRY_BASE: 'PT0.5S',
  CHECK_TIMEOUT: 'PT10S',
  // Refusals count at once; tests of propagation say otherwise.
  PROPAGATION_STEPS: 'PT0S',
};

export const tenant = {
  id: '5a1c6f3e-0b7d-4e29-9c84-2f6e8d1b7a50',
  domain: 'tailspin.example',
  clientId: 'e2e0c1d4-7b3f-4a68-8d95-1c6f0b2a9e37',
  clientSecret: 'simulated-Tailspin-8Q~value-of-a-client-secret',
} as const;

/** A tenant with a consented app and so many mailboxes that pass. */
export function plainTenant(
  mailboxes: number,
  more: Partial<ScenarioInput['tenants'][number]> = {},
  latencyMs = 5,
): ScenarioInput {
  const { mailboxes: special = [], ...rest } = more;
  return {
    latencyMs,
    tenants: [
      {
        id: tenant.id,
        name: 'Tailspin',
        domains: [tenant.domain],
        apps: [
          {
            clientId: tenant.clientId,
            displayName: 'Outreach',
            secrets: [{ value: tenant.clientSecret, expiresAt: '2036-01-01T00:00:00Z' }],
            grants: ['Mail.ReadWrite', 'Mail.Send'],
            consent: 'granted',
          },
        ],
        mailboxes: [...special, { generate: mailboxes, address: `user{n}@${tenant.domain}` }],
        ...rest,
      },
    ],
  };
}

export const plainAddresses = (count: number) =>
  Array.from({ length: count }, (_, i) => `user${i + 1}@${tenant.domain}`);
export const csvOf = (addresses: readonly string[]) => `email_address\n${addresses.join('\n')}\n`;

export interface Progress {
  id: string;
  status: string;
  percent: number;
  counts: Record<
    'rows' | 'accepted' | 'pending' | 'waiting' | 'passed' | 'failed' | 'inconclusive' | 'cancelled',
    number
  >;
  finding: { code: string } | null;
}

export interface ShownRow {
  line: number;
  address: string;
  state: string;
  cause?: string;
}

/** A stack of its own on free ports, and a customer with an owner's key on it. */
export interface RunningStack {
  stack: Stack;
  operator: ApiClient;
  owner: ApiClient;
  ownerKey: string;
  /** Registers the plain tenant and tests it until it is ready. */
  connect(more?: Record<string, unknown>): Promise<{ id: string }>;
  startImport(connectionId: string, csv: string): Promise<Progress>;
  /** Polls until the import has ended; `onProgress` sees every look. Rejects after so long. */
  untilEnded(importId: string, withinMs: number, onProgress?: (progress: Progress) => void): Promise<Progress>;
  allRows(importId: string): Promise<ShownRow[]>;
  simulator<Body>(method: string, path: string, body?: object): Promise<Body>;
  /** Replaces the plain tenant by a changed copy of what the scenario began with. */
  changeTenant(change: (tenant: ScenarioTenant) => void): Promise<void>;
  /** The calls that the simulated Microsoft 365 saw since then, oldest first; parts of a batch among them. */
  callsSince(instant: Date): Promise<LoggedCall[]>;
}

type ScenarioTenant = ScenarioInput['tenants'][number];

export interface LoggedCall {
  at: string;
  service: string;
  method: string;
  route: string;
  status: number;
  mailbox?: string;
  inBatch?: boolean;
}

export async function startRunningStack(
  scenario: ScenarioInput,
  options: Partial<Omit<StackOptions, 'scenario' | 'port'>> = {},
): Promise<RunningStack> {
  const stack = await startStack({
    port: 0,
    scenario: parseScenario(scenario),
    ...options,
    settings: { ...QUICK, ...options.settings },
  });
  trustInThisProcess(stack.certificate.cert);
  const { apiUrl, operatorKey, simulatorUrl } = stack.local();
  const operator = createApiClient(apiUrl, operatorKey);
  const customer = await operator.expect<{ id: string }>(201, 'POST', '/v1/customers', {
    body: { name: 'Acme', mailboxSlots: 100_000 },
  });
  const { key } = await operator.expect<{ key: string }>(201, 'POST', `/v1/customers/${customer.id}/api-keys`, {
    body: { name: 'end to end', role: 'owner' },
  });
  const owner = operator.as(key);

  async function simulator<Body>(method: string, path: string, body?: object): Promise<Body> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(new URL(path, simulatorUrl), {
      method,
      ...(body && { headers, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json().catch(() => undefined)) as Body;
  }

  return {
    stack,
    operator,
    owner,
    ownerKey: key,
    async connect(more = {}) {
      const { id: _id, domain, ...credentials } = tenant;
      const connection = await owner.expect<{ id: string }>(201, 'POST', '/v1/connections', {
        body: {
          name: 'Tailspin',
          tenant: domain,
          ...credentials,
          clientSecretExpiresAt: '2035-12-31T00:00:00Z',
          cloud: 'simulator',
          ...more,
        },
      });
      await owner.expect(200, 'POST', `/v1/connections/${connection.id}/test`);
      return connection;
    },
    startImport: (connectionId, csv) =>
      owner.expect<Progress>(202, 'POST', `/v1/connections/${connectionId}/imports`, {
        body: csv,
        contentType: 'text/csv',
      }),
    async untilEnded(importId, withinMs, onProgress) {
      const until = Date.now() + withinMs;
      let last = 'nothing seen';
      while (Date.now() < until) {
        // The API may be away for a moment: that is what some of these tests are about.
        const answer = await owner.call<Progress>('GET', `/v1/imports/${importId}`).catch(() => undefined);
        if (answer?.status === 200) {
          onProgress?.(answer.body);
          last = JSON.stringify(answer.body);
          if (['completed', 'cancelled', 'failed'].includes(answer.body.status)) return answer.body;
        }
        await pause(250);
      }
      throw new Error(`the import did not end within ${withinMs} ms: ${last}\n${stack.logs.slice(-40).join('\n')}`);
    },
    async allRows(importId) {
      const rows: ShownRow[] = [];
      let cursor = '';
      do {
        const path = `/v1/imports/${importId}/rows?limit=500${cursor}`;
        const page = await owner.expect<{ items: ShownRow[]; nextCursor?: string }>(200, 'GET', path);
        rows.push(...page.items);
        cursor = page.nextCursor === undefined ? '' : `&cursor=${encodeURIComponent(page.nextCursor)}`;
      } while (cursor !== '');
      return rows;
    },
    simulator,
    async changeTenant(change) {
      const wanted = structuredClone(scenario.tenants[0]);
      if (!wanted) throw new Error('the scenario has no tenant');
      change(wanted);
      await simulator('PUT', `/_simulator/tenants/${wanted.id}`, wanted);
    },
    async callsSince(instant) {
      const path = `/_simulator/log?limit=20000&since=${encodeURIComponent(instant.toISOString())}`;
      return (await simulator<{ items: LoggedCall[] }>('GET', path)).items;
    },
  };
}
