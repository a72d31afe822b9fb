import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect } from 'vitest';
import {
  createMuster,
  type Fetch,
  type Import,
  type Muster,
  MusterError,
  type NewConnection,
  type Row,
} from '../../clients/typescript/src/index.ts';
import { trustInThisProcess } from '../../local/certificate.ts';
import { createCustomer } from '../../local/customer.ts';
import { parseScenario, type ScenarioInput } from '../../local/microsoft365/scenario.ts';
import { type Stack, type StackOptions, startStack } from '../../local/stack.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { createCheckedFetch } from './checked-fetch.ts';
import { tenant } from './plain-tenant.ts';

/** Seconds where the product has minutes, so that no test waits for a sweep or a lease. */
const QUICK = {
  SWEEP_SCHEDULE: '*/2 * * * * *',
  PLAN_OVERDUE_AFTER: 'PT4S',
  DISPATCH_LEASE: 'PT3S',
  STORAGE_RETRY_AFTER: 'PT2S',
  CHECK_RETRY_BASE: 'PT0.5S',
  CHECK_TIMEOUT: 'PT10S',
  // Refusals count immediately, except in the tests of propagation.
  PROPAGATION_STEPS: 'PT0S',
};

export type Progress = Import;

/** A stack on free ports, and a customer with an owner's API key. */
export interface RunningStack {
  stack: Stack;
  /** The API with the owner's key. */
  muster: Muster;
  /** The same, for requests that `muster` does not make. */
  owner: ApiClient;
  operator: ApiClient;
  ownerKey: string;
  /** Holds every answer to the OpenAPI document that the stack serves. */
  fetch: Fetch;
  /** What answers had that the document does not have. `useRunningStack` expects none. */
  undocumented: string[];
  /** Registers a connection to the plain tenant and tests it. */
  connect(more?: Partial<NewConnection>): Promise<{ id: string }>;
  startImport(connectionId: string, csv: string): Promise<Import>;
  /** Polls until the import has ended. `onProgress` receives every change. Rejects after `withinMs`, also if it is paused. */
  untilEnded(importId: string, withinMs: number, onProgress?: (progress: Import) => void): Promise<Import>;
  progressOf(importId: string): Promise<Import>;
  /** Tests the connection again and resumes the paused import. Resolves when it has ended. */
  resume(connectionId: string, importId: string, withinMs: number): Promise<Import>;
  allRows(importId: string): Promise<Row[]>;
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
  afterAll(async () => {
    await running.stack?.stop();
    expect(running.undocumented ?? []).toEqual([]);
  });
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
  const { fetch: checkedFetch, undocumented } = await createCheckedFetch(apiUrl);
  const operator = createMuster({ url: apiUrl, key: operatorKey, fetch: checkedFetch });
  const { key } = await createCustomer(operator, { name: 'Acme', mailboxSlots: 100_000 });
  const muster = createMuster({ url: apiUrl, key, fetch: checkedFetch });
  // Some tests make the API unavailable for a moment.
  const patient = createMuster({ url: apiUrl, key, fetch: checkedFetch, retry: { max: 200, maxMs: 1_000 } });

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
    onProgress?: (progress: Import) => void,
  ): Promise<Import> {
    const deadline = Date.now() + withinMs;
    let latest: Import | undefined;
    try {
      while (Date.now() < deadline) {
        const stopped = await patient.waitForImport(importId, {
          pollMs: 250,
          timeoutMs: deadline - Date.now(),
          onProgress(progress) {
            latest = progress;
            onProgress?.(progress);
          },
        });
        if (stopped.status !== 'paused') return stopped;
        // Something else may end a paused import, for example a poison message.
        await pause(250);
      }
    } catch (error) {
      if (!(error instanceof MusterError) || error.code !== 'wait_timeout') throw error;
    }
    const logs = stack.logs.slice(-40).join('\n');
    throw new Error(`the import did not end within ${withinMs} ms: ${JSON.stringify(latest)}\n${logs}`);
  }

  return {
    stack,
    muster,
    owner: createApiClient(apiUrl, key, checkedFetch),
    operator: createApiClient(apiUrl, operatorKey, checkedFetch),
    ownerKey: key,
    fetch: checkedFetch,
    undocumented,
    async connect(more = {}) {
      const { id: _id, domain, ...credentials } = tenant;
      const connection = await muster.connections.create({
        name: 'Tailspin',
        tenant: domain,
        ...credentials,
        clientSecretExpiresAt: '2035-12-31T00:00:00Z',
        cloud: 'simulator',
        ...more,
      });
      await muster.connections.test(connection.id);
      return connection;
    },
    startImport: (connectionId, csv) => muster.imports.start(connectionId, csv),
    untilEnded,
    progressOf: (importId) => muster.imports.get(importId),
    async resume(connectionId, importId, withinMs) {
      await muster.connections.test(connectionId);
      await muster.imports.resume(importId);
      return untilEnded(importId, withinMs);
    },
    allRows: (importId) => Array.fromAsync(muster.imports.rows(importId)),
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
