import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { type ApiClient, createApiClient } from '../../local/api-client.ts';
import { trustInThisProcess } from '../../local/certificate.ts';
import { createCustomer } from '../../local/customer.ts';
import { parseScenario, type ScenarioInput } from '../../local/microsoft365/scenario.ts';
import { type Stack, type StackOptions, startStack } from '../../local/stack.ts';
import { tenant } from './plain-tenant.ts';

/** Seconds where the product has minutes, so that no test waits for a sweep or a lease. */
const QUICK = {
  SWEEP_SCHEDULE: '*/2 * * * * *',
  BATCH_OVERDUE_AFTER: 'PT5S',
  // A machine that cannot keep up never catches up if messages are sent again too often.
  BATCH_OVERDUE_MAX: 'PT30S',
  PLAN_OVERDUE_AFTER: 'PT4S',
  DISPATCH_LEASE: 'PT3S',
  STORAGE_RETRY_AFTER: 'PT2S',
  CHECK_RETRY_BASE: 'PT0.5S',
  CHECK_TIMEOUT: 'PT10S',
  // Refusals count immediately, except in the tests of propagation.
  PROPAGATION_STEPS: 'PT0S',
};

export interface Progress {
  id: string;
  status: string;
  percent: number;
  counts: Record<
    'rows' | 'accepted' | 'pending' | 'waiting' | 'passed' | 'failed' | 'inconclusive' | 'cancelled',
    number
  >;
  finding: { cause: string } | null;
}

interface RowOfApi {
  line: number;
  address: string;
  state: string;
  cause?: string;
}

/** A stack on free ports, and a customer with an owner's API key. */
export interface RunningStack {
  stack: Stack;
  operator: ApiClient;
  owner: ApiClient;
  ownerKey: string;
  /** Registers a connection to the plain tenant and tests it. */
  connect(more?: Record<string, unknown>): Promise<{ id: string }>;
  startImport(connectionId: string, csv: string): Promise<Progress>;
  /** Polls until the import has ended. `onProgress` receives every answer. Rejects after `withinMs`. */
  untilEnded(importId: string, withinMs: number, onProgress?: (progress: Progress) => void): Promise<Progress>;
  progressOf(importId: string): Promise<Progress>;
  /** Tests the connection again and resumes the paused import. Resolves when it has ended. */
  resume(connectionId: string, importId: string, withinMs: number): Promise<Progress>;
  allRows(importId: string): Promise<RowOfApi[]>;
  simulator<Body>(method: string, path: string, body?: object): Promise<Body>;
  /** Replaces the plain tenant by a changed copy of the scenario's original tenant. */
  changeTenant(change: (tenant: ScenarioTenant) => void): Promise<void>;
  /** The calls to the simulated Microsoft 365 since then, oldest first. Includes the parts of batches. */
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

/** Starts a stack before the tests of a file, and stops it after them. The result can be used inside tests and hooks. */
export function useRunningStack(
  scenario: ScenarioInput,
  options: Partial<Omit<StackOptions, 'scenario' | 'port'>> = {},
): RunningStack {
  const running = {} as RunningStack;
  beforeAll(async () => {
    Object.assign(running, await startRunningStack(scenario, options));
  });
  afterAll(() => running.stack?.stop());
  return running;
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
  const { key, api: owner } = await createCustomer(operator, { name: 'Acme', mailboxSlots: 100_000 });

  async function simulator<Body>(method: string, path: string, body?: object): Promise<Body> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(new URL(path, simulatorUrl), {
      method,
      ...(body && { headers, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    const text = await response.text();
    return JSON.parse(text === '' ? 'null' : text);
  }

  async function untilEnded(
    importId: string,
    withinMs: number,
    onProgress?: (progress: Progress) => void,
  ): Promise<Progress> {
    const until = Date.now() + withinMs;
    let last = 'no answer';
    while (Date.now() < until) {
      // Some tests make the API unavailable for a moment.
      const answer = await owner.call<Progress>('GET', `/v1/imports/${importId}`).catch(() => undefined);
      if (answer?.status === 200) {
        onProgress?.(answer.body);
        last = JSON.stringify(answer.body);
        if (['completed', 'cancelled', 'failed'].includes(answer.body.status)) return answer.body;
      }
      await pause(250);
    }
    throw new Error(`the import did not end within ${withinMs} ms: ${last}\n${stack.logs.slice(-40).join('\n')}`);
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
    untilEnded,
    progressOf: (importId) => owner.expect<Progress>(200, 'GET', `/v1/imports/${importId}`),
    async resume(connectionId, importId, withinMs) {
      await owner.expect(200, 'POST', `/v1/connections/${connectionId}/test`);
      await owner.expect(200, 'POST', `/v1/imports/${importId}/resume`);
      return untilEnded(importId, withinMs);
    },
    async allRows(importId) {
      const rows: RowOfApi[] = [];
      let cursor = '';
      do {
        const path = `/v1/imports/${importId}/rows?limit=500${cursor}`;
        const page = await owner.expect<{ items: RowOfApi[]; nextCursor?: string }>(200, 'GET', path);
        rows.push(...page.items);
        cursor = page.nextCursor === undefined ? '' : `&cursor=${encodeURIComponent(page.nextCursor)}`;
      } while (cursor !== '');
      return rows;
    },
    simulator,
    async changeTenant(change) {
      const changed = structuredClone(scenario.tenants[0]);
      if (!changed) throw new Error('the scenario has no tenant');
      change(changed);
      await simulator('PUT', `/_simulator/tenants/${changed.id}`, changed);
    },
    async callsSince(instant) {
      const path = `/_simulator/log?limit=20000&since=${encodeURIComponent(instant.toISOString())}`;
      return (await simulator<{ items: LoggedCall[] }>('GET', path)).items;
    },
  };
}
