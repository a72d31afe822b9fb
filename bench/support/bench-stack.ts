import { createMuster, type Fetch, type Muster } from '../../clients/typescript/src/index.ts';
import { createCustomer } from '../../local/customer.ts';
import { parseScenario } from '../../local/microsoft365/scenario.ts';
import type { RequestCount } from '../../local/request-count.ts';
import { type Stack, type StackOptions, startStack } from '../../local/stack.ts';
import { type BenchTenant, clientSecretExpiresAt } from './bench-tenant.ts';

/** As in Azure: the local stack sweeps and repeats sooner, so that people wait less. */
const SETTINGS = {
  SWEEP_SCHEDULE: '0 * * * * *',
  PLAN_OVERDUE_AFTER: 'PT90S',
  STORAGE_RETRY_AFTER: 'PT5S',
};

/** A customer with a tested connection to its tenant. */
export interface BenchCustomer {
  muster: Muster;
  customerId: string;
  connectionId: string;
  tenant: BenchTenant;
}

export interface BenchStack {
  stack: Stack;
  addCustomer(tenant: BenchTenant, fetch?: Fetch): Promise<BenchCustomer>;
  /** The requests to storage, vault and Microsoft 365 since the last reset. */
  counts(): Promise<RequestCount[]>;
  resetCounts(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the whole stack with these simulated tenants. */
export async function startBenchStack(
  tenants: readonly BenchTenant[],
  { latencyMs, ...options }: { latencyMs: number } & Pick<StackOptions, 'processes' | 'isApart' | 'settings'>,
): Promise<BenchStack> {
  const stack = await startStack({
    port: 0,
    scenario: parseScenario({ latencyMs, tenants: tenants.map(({ scenario }) => scenario) }),
    ...options,
    settings: { ...SETTINGS, ...options.settings },
  });
  const { apiUrl, operatorKey } = stack.local();
  const operator = createMuster({ url: apiUrl, key: operatorKey });
  return {
    stack,
    async addCustomer(tenant, fetch) {
      const { id: customerId, key } = await createCustomer(operator, { name: tenant.domain, mailboxSlots: 2_000_000 });
      // An overloaded stack is measured, not given up.
      const retry = { max: 50, maxMs: 2_000 };
      const muster = createMuster({ url: apiUrl, key, retry, ...(fetch && { fetch }) });
      const { domain, clientId, clientSecret } = tenant;
      const { id } = await muster.connections.create({
        name: domain,
        tenant: domain,
        clientId,
        clientSecret,
        clientSecretExpiresAt,
        cloud: 'simulator',
      });
      await muster.connections.test(id);
      return { muster, customerId, connectionId: id, tenant };
    },
    counts: async () => [
      ...stack.simulator.world.requests.counts(),
      ...stack.vault.counts(),
      ...(await stack.storage.counts()),
    ],
    async resetCounts() {
      stack.simulator.world.requests.reset();
      stack.vault.resetCounts();
      await stack.storage.resetCounts();
    },
    stop: stack.stop,
  };
}

/** The number of requests that match. */
export function sumOf(counts: readonly RequestCount[], matches: (count: RequestCount) => boolean): number {
  return counts.filter(matches).reduce((total, { count }) => total + count, 0);
}

export const isGraph = ({ service }: RequestCount): boolean => service === 'graph';
export const isTable = ({ service }: RequestCount): boolean => service === 'table';

/** Messages that were put on the queue of checks, received from it or deleted: `POST`, `GET` or `DELETE`. */
export const ofChecks =
  (method: string) =>
  (count: RequestCount): boolean =>
    count.service === 'queue' && count.method === method && count.route.startsWith('check-mailbox/messages');
